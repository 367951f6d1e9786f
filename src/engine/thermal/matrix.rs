//! How are small square matrices multiplied, and how is a linear system carried over a step?
//!
//! The room's model has five states and six inputs; arrays of that size live on the stack and need no library.

/// A square matrix, row by row.
pub type Square<const N: usize> = [[f64; N]; N];
/// A vector.
pub type Vector<const N: usize> = [f64; N];

/// Terms of the series after halving the step to a norm of one half: the rest is below 1e-12.
const TERMS: u32 = 10;
/// The step is not halved more often: rates are bounded, so this is never reached by a sound model.
const HALVINGS_MAX: u32 = 40;

/// The unit matrix.
pub fn unit<const N: usize>() -> Square<N> {
    let mut unit = [[0.0; N]; N];
    (0..N).for_each(|i| unit[i][i] = 1.0);
    unit
}

/// The product of two matrices.
pub fn product<const N: usize>(a: &Square<N>, b: &Square<N>) -> Square<N> {
    let mut product = [[0.0; N]; N];
    for (row, a) in product.iter_mut().zip(a) {
        for (factor, b) in a.iter().zip(b) {
            row.iter_mut().zip(b).for_each(|(sum, b)| *sum += factor * b);
        }
    }
    product
}

/// Returns `exp(a h)` and its integral from 0 to `h`: what the states become over a step, and what a steady input adds.
/// Scaling and squaring: the series on a step so short that it converges at once, then doubled.
pub fn carried<const N: usize>(a: &Square<N>, h: f64) -> (Square<N>, Square<N>) {
    let norm = a
        .iter()
        .map(|row| row.iter().map(|x| x.abs()).sum::<f64>())
        .fold(0.0, f64::max)
        * h;
    let halvings = if norm > 0.5 { (norm / 0.5).log2().ceil() } else { 0.0 };
    let halvings = (halvings as u32).min(HALVINGS_MAX);
    let short = h / f64::from(halvings).exp2();
    let (mut term, mut power, mut integral) = (unit::<N>(), unit::<N>(), unit::<N>());
    integral.iter_mut().flatten().for_each(|x| *x *= short);
    for n in 1..=TERMS {
        term = product(&term, a);
        term.iter_mut().flatten().for_each(|x| *x *= short / f64::from(n));
        add(&mut power, &term, 1.0);
        add(&mut integral, &term, short / f64::from(n + 1));
    }
    for _ in 0..halvings {
        let second_half = product(&power, &integral);
        add(&mut integral, &second_half, 1.0);
        power = product(&power, &power);
    }
    (power, integral)
}

fn add<const N: usize>(to: &mut Square<N>, what: &Square<N>, times: f64) {
    for (to, what) in to.iter_mut().flatten().zip(what.iter().flatten()) {
        *to += times * what;
    }
}

/// Solves `h x = g` for a symmetric positive definite `h` of `g.len()` rows, by Cholesky's way; none when `h` is not.
pub fn solve(h: &[Vec<f64>], g: &[f64]) -> Option<Vec<f64>> {
    let n = g.len();
    let mut root = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let rest = h[i][j] - (0..j).map(|k| root[i][k] * root[j][k]).sum::<f64>();
            root[i][j] = match i == j {
                true if rest > 0.0 => rest.sqrt(),
                true => return None,
                false => rest / root[j][j],
            };
        }
    }
    let mut x = g.to_vec();
    for i in 0..n {
        x[i] = (x[i] - (0..i).map(|k| root[i][k] * x[k]).sum::<f64>()) / root[i][i];
    }
    for i in (0..n).rev() {
        x[i] = (x[i] - (i + 1..n).map(|k| root[k][i] * x[k]).sum::<f64>()) / root[i][i];
    }
    x.iter().all(|x| x.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_exact_however_long() {
        for (rate, h) in [(0.3_f64, 0.1_f64), (15.0, 1.0), (60.0, 5.0)] {
            let (power, integral) = carried(&[[-rate, 0.0], [rate, -0.5]], h);
            assert!((power[0][0] - (-rate * h).exp()).abs() < 1e-9, "{power:?}");
            assert!((integral[0][0] - (1.0 - (-rate * h).exp()) / rate).abs() < 1e-9);
            let mixed = rate / (rate - 0.5) * ((-0.5 * h).exp() - (-rate * h).exp());
            assert!((power[1][0] - mixed).abs() < 1e-9, "{} {mixed}", power[1][0]);
        }
    }

    #[test]
    fn a_system_is_solved_and_a_degenerate_one_is_refused() {
        let x = solve(&[vec![4.0, 2.0], vec![2.0, 3.0]], &[2.0, 5.0]).unwrap();
        assert!((x[0] + 0.5).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12, "{x:?}");
        assert_eq!(solve(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[1.0, 1.0]), None);
    }
}

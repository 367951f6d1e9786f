//! When does a certificate end?
//!
//! The engineer is warned weeks before a link goes dark. An X.509 certificate is nested DER, and the dates are the
//! fifth part of its body (RFC 5280, section 4.1); reading down to them takes less than a parser would bring in.

use crate::model::Moment;

/// Between which moments a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateDates {
    /// The first moment of its validity.
    pub from: Moment,
    /// The last moment of its validity.
    pub until: Moment,
}

impl CertificateDates {
    /// Returns the whole days left at `now`; negative once it has ended.
    pub fn days_left(&self, now: Moment) -> i64 {
        (self.until.millis() - now.millis()).div_euclid(24 * 60 * 60 * 1000)
    }
}

/// The bytes are not a certificate whose dates could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not an X.509 certificate with readable dates")]
pub struct NotACertificate;

/// Reads the dates of a certificate in DER.
///
/// # Errors
/// [`NotACertificate`].
pub fn certificate_dates(der: &[u8]) -> Result<CertificateDates, NotACertificate> {
    read_dates(der).ok_or(NotACertificate)
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

fn read_dates(der: &[u8]) -> Option<CertificateDates> {
    let (_, certificate, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut body, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        body = element(body)?.2;
    }
    for _serial_algorithm_issuer in 0..3 {
        body = element(body)?.2;
    }
    let (_, validity, _) = element(body).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (tag, from, rest) = element(validity)?;
    let from = moment(tag, from)?;
    let (tag, until, _) = element(rest)?;
    Some(CertificateDates {
        from,
        until: moment(tag, until)?,
    })
}

/// Splits the first element off: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Reads `YYMMDDHHMMSSZ` (years 1950 to 2049) or `YYYYMMDDHHMMSSZ`.
fn moment(tag: u8, text: &[u8]) -> Option<Moment> {
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let full = match tag {
        UTC_TIME if digits.len() == 12 => format!("{}{digits}", if digits >= "50" { "19" } else { "20" }),
        GENERALIZED_TIME if digits.len() == 14 => digits.to_owned(),
        _ => return None,
    };
    let stamp = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &full).ok()?;
    let stamp = stamp.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Moment::from_millis(stamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(until: (i32, u8, u8)) -> Vec<u8> {
        let mut parameters = rcgen::CertificateParams::new(vec!["broker.test".into()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2020, 2, 3);
        parameters.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_days_left_are_counted_from_the_certificates_own_dates() {
        let dates = certificate_dates(&certificate((2027, 1, 31))).unwrap();
        assert_eq!(dates.from, Moment::parse("2020-02-03T00:00:00Z").unwrap());
        assert_eq!(dates.until, Moment::parse("2027-01-31T00:00:00Z").unwrap());
        assert_eq!(dates.days_left(Moment::parse("2027-01-01T12:00:00Z").unwrap()), 29);
        assert_eq!(dates.days_left(Moment::parse("2027-02-01T00:00:00Z").unwrap()), -1);
    }

    #[test]
    fn dates_beyond_2049_are_read_in_their_longer_form() {
        let dates = certificate_dates(&certificate((2096, 12, 1))).unwrap();
        assert_eq!(dates.until, Moment::parse("2096-12-01T00:00:00Z").unwrap());
    }

    #[test]
    fn no_cut_and_no_flipped_byte_of_a_certificate_makes_the_reader_panic() {
        let whole = certificate((2027, 1, 31));
        for cut in 0..whole.len().min(300) {
            assert_eq!(certificate_dates(&whole[..cut]), Err(NotACertificate));
            let mut flipped = whole.clone();
            flipped[cut] ^= 0xff;
            let _ = certificate_dates(&flipped);
        }
    }
}

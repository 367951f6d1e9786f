//! What must always and never be, in simulated rooms with broken thermometers and sensors and lost commands, looked at after
//! every step and in every minute.
//!
//! A small sample of what `innkeeper evaluate preparation --promises --faults` runs by the thousand room-months.

use innkeeper::evaluate::preparation::{Compare, Figures, KeeperFigures, Options, Site, run};

fn hotel(site: Site, has_faults: bool) -> Figures {
    let options = Options {
        site,
        rooms: 3,
        days: 5,
        warm_up_days: 1,
        seed: 11,
        eta_error_min: 60.0,
        is_coarse: has_faults,
        has_faults,
    };
    let figures = run(options, 1, Compare::Promises, &mut std::io::sink()).unwrap();
    figures.into_iter().next().unwrap()
}

fn keeper(figures: &Figures) -> &KeeperFigures {
    figures.keeper.as_ref().unwrap()
}

#[test]
fn no_unit_runs_under_an_open_window_and_no_guest_is_overruled_whatever_is_broken() {
    let mut arrivals = 0;
    for (site, has_faults) in [(Site::Heating, true), (Site::Cooling, true), (Site::Shoulder, false)] {
        let figures = hotel(site, has_faults);
        let seen = keeper(&figures);
        let never = &seen.never;
        let counts = [
            never.interlock_violations,
            never.commands_against_interlock,
            never.lost_overrides,
            never.beyond_limits,
            never.setbacks_against_rule,
        ];
        assert_eq!(counts, [0; 5], "{site:?}, faults {has_faults}: {:?}", seen.cases);
        let unknown = never.setbacks_of_present + never.setbacks_of_sleeping;
        assert_eq!(unknown, never.setbacks_unknowable, "{:?}", seen.cases);
        assert!(has_faults || unknown == 0, "{site:?}: {:?}", seen.cases);
        assert!(seen.steps > 5_000, "{} steps prove little", seen.steps);
        arrivals += figures.arrivals;
    }
    assert!(arrivals > 10, "{arrivals} arrivals prove little");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let told = || serde_json::to_string(&hotel(Site::Heating, true)).unwrap();
    assert_eq!(told(), told());
}

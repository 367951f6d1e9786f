//! Which profiles does innkeeper ship with?
//!
//! One line for each file of `device-profiles/`, in alphabetical order; a test holds the list against the folder. The
//! golden examples are shipped along, so that `innkeeper profile test` proves on the gateway what was proven here.

/// A profile that is shipped.
#[derive(Debug)]
pub(super) struct Shipped {
    pub file_name: &'static str,
    pub text: &'static str,
    /// Its golden examples, one JSON object a line.
    pub rows: &'static str,
}

macro_rules! shipped {
    ($($id:literal),* $(,)?) => {
        &[$(Shipped {
            file_name: concat!($id, ".toml"),
            text: include_str!(concat!("../../device-profiles/", $id, ".toml")),
            rows: include_str!(concat!("../../device-profiles/tests/", $id, ".jsonl")),
        }),*]
    };
}

/// Every shipped profile, by id.
pub(super) const PROFILES: &[Shipped] = shipped![
    "airzone-aidoo",
    "beca-bac-002aln",
    "beca-bac-6000aln",
    "beca-bht-006",
    "coolautomation-coolmasternet",
    "daikin-dta116a51",
    "domat-fc013",
    "emfit-qs",
    "engo-efan",
    "esphome-bed",
    "esphome-climate",
    "esphome-contact",
    "esphome-motion",
    "haier-ycj-a002",
    "heiztech-bm-fcu",
    "inels-rftc3-hotel",
    "intesis-inmbsdai001r000",
    "intesis-inmbsmid-vrf",
    "kaysun-kc-fcd2-m",
    "lg-pdrycb500",
    "mattress-json",
    "mattress-json-side",
    "milesight-em300-leak-chirpstack",
    "milesight-em300-th-chirpstack",
    "milesight-vs330-chirpstack",
    "milesight-vs373-chirpstack",
    "milesight-ws101-chirpstack",
    "milesight-ws202-chirpstack",
    "milesight-ws301-chirpstack",
    "milesight-ws502-chirpstack",
    "milesight-ws523-chirpstack",
    "milesight-wt101-chirpstack",
    "milesight-wt201-chirpstack",
    "milesight-wt301-chirpstack",
    "milesight-wt304-chirpstack",
    "onokom-air-dk-1",
    "procon-melcobems-mini-a1m",
    "shelly-gen2-cover",
    "shelly-gen2-switch",
    "siemens-rdf302",
    "smartbed-mqtt",
    "smarttemp-smt131",
    "sprut-bed-box",
    "tasmota-plug",
    "tasmota-switch",
    "toshiba-tcb-ifdmr01up",
    "tuya-bac-002-alzb",
    "tuya-ts0601-3gang",
    "tuya-ts0601-fancoil",
    "z2m-ac-adapter",
    "z2m-bed-presence",
    "z2m-climate-sensor",
    "z2m-contact",
    "z2m-cover",
    "z2m-cover-zone",
    "z2m-fcu",
    "z2m-fcu-tuya",
    "z2m-heat-cool",
    "z2m-leak",
    "z2m-lock",
    "z2m-motion",
    "z2m-motion-zone",
    "z2m-panel",
    "z2m-plug",
    "z2m-smoke",
    "z2m-switch-panel",
    "z2m-thermostat",
    "z2m-thermostat-tuya",
    "z2m-thermostat-zone",
    "z2m-trv",
    "z2m-trv-tuya",
    "z2m-vibration",
];

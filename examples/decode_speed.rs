//! How long does it take to read one message of a zigbee2mqtt device?
//!
//! `cargo run --release --no-default-features --example decode_speed`

use innkeeper::model::DeviceId;
use innkeeper::profile::{DeviceBinding, Library, Parameters};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: u32 = 200_000;

const MESSAGES: [(&str, &str); 3] = [
    (
        "tuya-bac-002-alzb",
        r#"{"child_lock":null,"current_heating_setpoint":24,"fan_mode":"auto","last_seen":"2026-11-21T20:18:26.622Z","linkquality":120,"local_temperature":26.3,"max_temperature":null,"schedule_text":null,"system_mode":"cool"}"#,
    ),
    (
        "z2m-contact",
        r#"{"battery":100,"contact":true,"device_temperature":24,"last_seen":"2026-11-21T20:18:23.655Z","linkquality":120,"power_outage_count":4,"trigger_count":0,"voltage":3025}"#,
    ),
    (
        "z2m-trv",
        r#"{"battery":74,"last_seen":"2026-11-21T20:18:36.423Z","linkquality":120,"local_temperature":20.85,"occupied_heating_setpoint":21,"occupied_heating_setpoint_scheduled":21,"pi_heating_demand":35,"system_mode":"heat"}"#,
    ),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let library = Library::built_in().map_err(|faults| format!("{} faults", faults.len()))?;
    println!("{} profiles read in {:?}", library.iter().count(), started.elapsed());
    for (id, payload) in MESSAGES {
        let profile = library.get(id).ok_or("not shipped")?;
        let parameters = Parameters::from([("name".to_owned(), "hotel/1201/x".to_owned())]);
        let binding = DeviceBinding::new(Arc::clone(profile), DeviceId::new("x")?, &parameters)
            .map_err(|faults| format!("{faults:?}"))?;
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(binding.decode("zigbee2mqtt/hotel/1201/x", black_box(payload.as_bytes()), false));
        }
        println!(
            "{id}: {} bytes, {} ns a message",
            payload.len(),
            (started.elapsed() / ROUNDS).as_nanos()
        );
    }
    Ok(())
}

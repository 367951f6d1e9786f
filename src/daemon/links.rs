//! Which links run, and which of them must change with the configuration?
//!
//! A link whose settings and devices are the same goes on untouched through a reload; only what differs is stopped and
//! started.

use super::clock;
use super::inbox::Inbox;
use crate::config::{CentralLink, Configured, Link, MqttLink, Tls, bus_parts, device_binding};
use crate::device::{self, Outlet};
use crate::model::{DeviceId, LinkId};
use crate::mqtt::{LinkOptions, Login, TlsFiles};
use crate::observe::Pulses;
use crate::profile::Library;
use crate::uplink::{AckMode, Feed, LastPositions, Uplink, UplinkOptions};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// A link's task turns several times a second; it stands still only while the owner's inbox is full.
const PULSE_WITHIN: Duration = Duration::from_secs(120);

enum Handle {
    Devices(device::Running),
    Central(Uplink),
}

struct Running {
    signature: String,
    handle: Handle,
}

/// The links that run.
pub struct Links {
    inbox: mpsc::Sender<Inbox>,
    last: watch::Receiver<LastPositions>,
    pulses: Pulses,
    running: BTreeMap<LinkId, Running>,
}

impl Links {
    /// No link runs yet.
    pub fn new(inbox: mpsc::Sender<Inbox>, last: watch::Receiver<LastPositions>, pulses: Pulses) -> Self {
        Self {
            inbox,
            last,
            pulses,
            running: BTreeMap::new(),
        }
    }

    /// Makes what runs what the configuration says. Returns the ways to the devices.
    ///
    /// # Errors
    /// A link that cannot be started at all; the others run.
    pub async fn follow(&mut self, configured: &Configured, library: &Library) -> Result<HashMap<DeviceId, Outlet>> {
        let wanted: BTreeMap<LinkId, String> = configured
            .links
            .iter()
            .map(|link| (link.id.clone(), signature(configured, &link.id)))
            .collect();
        let changed = |(id, running): (&LinkId, &Running)| wanted.get(id) != Some(&running.signature);
        let gone: Vec<LinkId> = self
            .running
            .iter()
            .filter(|r| changed(*r))
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.stop(&id).await;
        }
        let mut faults = Vec::new();
        for (id, signature) in wanted {
            if !self.running.contains_key(&id)
                && let Err(fault) = self.start(configured, library, &id, signature)
            {
                faults.push(format!("{fault:#}"));
            }
        }
        if !faults.is_empty() {
            anyhow::bail!("{}", faults.join("; "));
        }
        Ok(self.outlets(configured))
    }

    /// Stops every link.
    pub async fn stop_all(&mut self) {
        let ids: Vec<LinkId> = self.running.keys().cloned().collect();
        for id in ids {
            self.stop(&id).await;
        }
    }

    /// The ways to the devices, as the links run now.
    pub fn outlets(&self, configured: &Configured) -> HashMap<DeviceId, Outlet> {
        let mut outlets = HashMap::new();
        for (id, running) in &self.running {
            let Handle::Devices(devices) = &running.handle else {
                continue;
            };
            let outlet = devices.outlet();
            outlets.extend(
                configured
                    .on_link(id)
                    .map(|(device, _)| (device.clone(), outlet.clone())),
            );
        }
        outlets
    }

    async fn stop(&mut self, id: &LinkId) {
        let Some(running) = self.running.remove(id) else { return };
        self.pulses.remove(&format!("link {id}"));
        match running.handle {
            Handle::Devices(devices) => devices.stop().await,
            Handle::Central(uplink) => uplink.stop().await,
        }
    }

    fn start(&mut self, configured: &Configured, library: &Library, id: &LinkId, signature: String) -> Result<()> {
        let handle = match configured.link(id) {
            Some(Link::Mqtt(link)) => {
                let bind = |(device, binding)| device_binding(library, device, binding);
                let bindings: Vec<_> = configured.on_link(id).filter_map(bind).collect();
                if bindings.is_empty() {
                    return Ok(());
                }
                let options = link_options(link).with_context(|| format!("link {id}"))?;
                Handle::Devices(device::mqtt::start(
                    id.clone(),
                    options,
                    bindings,
                    clock::now,
                    self.inbox.clone(),
                )?)
            }
            Some(Link::Modbus(_)) => {
                let Some((settings, devices)) =
                    bus_parts(configured, library, id).filter(|(_, devices)| !devices.is_empty())
                else {
                    return Ok(());
                };
                Handle::Devices(device::bus::start(&settings, devices, clock::now, self.inbox.clone())?)
            }
            Some(Link::Central(link)) => {
                let options = UplinkOptions::new(
                    configured.property.id.clone(),
                    central_options(link).with_context(|| format!("link {id}"))?,
                    ack_mode(link),
                    clock::now,
                );
                let feed = Feed {
                    owner: self.inbox.clone(),
                    last: self.last.clone(),
                };
                Handle::Central(Uplink::start(options, feed).with_context(|| format!("link {id}"))?)
            }
            Some(Link::Pms(_) | Link::Weather(_)) | None => return Ok(()),
        };
        if let Handle::Devices(devices) = &handle {
            self.pulses.add(format!("link {id}"), PULSE_WITHIN, devices.watcher());
        }
        self.running.insert(id.clone(), Running { signature, handle });
        Ok(())
    }
}

/// The broker of the property that emergencies are fanned out on: the first one.
pub fn fanout_options(configured: &Configured) -> Option<LinkOptions> {
    let broker = configured.links.iter().find_map(|config| match &config.link {
        Link::Mqtt(link) => link_options(link).ok(),
        _ => None,
    })?;
    let client_id = format!("{}-local", broker.client_id);
    Some(LinkOptions { client_id, ..broker })
}

fn signature(configured: &Configured, id: &LinkId) -> String {
    let devices: Vec<_> = configured.on_link(id).collect();
    serde_json::to_string(&(configured.link(id), devices, &configured.property.id)).unwrap_or_default()
}

fn link_options(link: &MqttLink) -> Result<LinkOptions> {
    let client_id = link.client_id.clone().unwrap_or_else(|| "innkeeper".into());
    let login = login(link.username.as_ref(), link.password_file.as_deref())?;
    Ok(LinkOptions {
        login,
        tls: link.tls.as_ref().map(tls),
        ..LinkOptions::new(&link.host, link.port(), client_id)
    })
}

fn central_options(link: &CentralLink) -> Result<LinkOptions> {
    let client_id = link.client_id.clone().unwrap_or_else(|| "innkeeper-central".into());
    let login = login(link.username.as_ref(), link.password_file.as_deref())?;
    Ok(LinkOptions {
        login,
        tls: link.tls.as_ref().map(tls),
        ..LinkOptions::new(&link.host, link.port(), client_id)
    })
}

fn ack_mode(link: &CentralLink) -> AckMode {
    match link.ack {
        crate::config::Ack::Broker => AckMode::Broker,
        crate::config::Ack::Central => AckMode::central(),
    }
}

fn login(user: Option<&String>, password_file: Option<&std::path::Path>) -> Result<Option<Login>> {
    let Some(user) = user else { return Ok(None) };
    let password = match password_file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("password file {}", file.display()))?,
        None => String::new(),
    };
    Ok(Some(Login {
        user: user.clone(),
        password: password.trim_end_matches(['\r', '\n']).into(),
    }))
}

fn tls(tls: &Tls) -> TlsFiles {
    TlsFiles {
        authorities: tls.ca.clone(),
        identity: tls.cert.clone().zip(tls.key.clone()),
    }
}

//! Which links run, and which of them must change with the configuration?
//!
//! A link whose settings and devices are the same goes on untouched through a reload; only what differs is stopped and
//! started.

use super::clock;
use super::inbox::Inbox;
use crate::config::{Broker, CentralLink, Configured, Link, Tls, bus_parts, device_binding};
use crate::device::property::topic::{self, PropertyTopic};
use crate::device::property::web::{self, WebSource};
use crate::device::property::{Figures, Tells};
use crate::device::{self, Outlet};
use crate::model::{DeviceId, LinkId, Span};
use crate::mqtt::{LinkOptions, Login, TlsFiles};
use crate::observe::Pulses;
use crate::profile::{Binder, Library};
use crate::uplink::{AckMode, Feed, LastPositions, Uplink, UplinkOptions};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// A link's task turns several times a second; it stands still only while the owner's inbox is full.
const PULSE_WITHIN: Duration = Duration::from_secs(120);

enum Handle {
    Devices(device::Running),
    Central(Uplink),
}

struct Running {
    /// Names everything that the link was started with.
    signature: u64,
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
        let wanted: BTreeMap<LinkId, u64> = configured
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

    fn start(&mut self, configured: &Configured, library: &Library, id: &LinkId, signature: u64) -> Result<()> {
        let handle = match configured.link(id) {
            Some(Link::Mqtt(link)) => {
                let mut binder = Binder::default();
                let bind = |(device, binding)| device_binding(&mut binder, library, device, binding);
                let bindings: Vec<_> = configured.on_link(id).filter_map(bind).collect();
                if bindings.is_empty() {
                    return Ok(());
                }
                let options = broker_options(configured, id, &link.broker()).with_context(|| format!("link {id}"))?;
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
                    broker_options(configured, id, &link.broker()).with_context(|| format!("link {id}"))?,
                    ack_mode(link),
                    clock::now,
                );
                let feed = Feed {
                    owner: self.inbox.clone(),
                    last: self.last.clone(),
                };
                Handle::Central(Uplink::start(options, feed).with_context(|| format!("link {id}"))?)
            }
            Some(link @ (Link::Weather(_) | Link::Power(_))) => match self.property_source(configured, id, link)? {
                Some(source) => Handle::Devices(source),
                // From central it comes over central's own link.
                None => return Ok(()),
            },
            Some(Link::Pms(_)) | None => return Ok(()),
        };
        if let Handle::Devices(devices) = &handle {
            self.pulses.add(format!("link {id}"), PULSE_WITHIN, devices.watcher());
        }
        self.running.insert(id.clone(), Running { signature, handle });
        Ok(())
    }

    fn property_source(&self, configured: &Configured, id: &LinkId, link: &Link) -> Result<Option<device::Running>> {
        if let Some(service) = web_source(link) {
            return Ok(Some(web::start(id.clone(), service, self.inbox.clone())));
        }
        let (Some(topic), Some(Link::Mqtt(via))) = (property_topic(link), via(configured, link)) else {
            return Ok(None);
        };
        let mut options = broker_options(configured, id, &via.broker()).with_context(|| format!("link {id}"))?;
        options.client_id = client_id(configured, id);
        Ok(Some(topic::start(id.clone(), options, topic, self.inbox.clone())?))
    }
}

/// The broker of the property that emergencies are fanned out on: the first one.
pub fn fanout_options(configured: &Configured) -> Option<LinkOptions> {
    let broker = configured.links.iter().find_map(|config| match &config.link {
        Link::Mqtt(link) => broker_options(configured, &config.id, &link.broker()).ok(),
        _ => None,
    })?;
    let client_id = format!("{}-local", broker.client_id);
    Some(LinkOptions { client_id, ..broker })
}

fn signature(configured: &Configured, id: &LinkId) -> u64 {
    let devices: Vec<_> = configured.on_link(id).collect();
    let link = configured.link(id);
    let via = link.and_then(|link| via(configured, link));
    let text = serde_json::to_vec(&(link, via, devices, &configured.property.id)).unwrap_or_default();
    // Half a megabyte of text for a large hotel; its hash is kept, and lives no longer than the process.
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What is needed to log on to a broker.
fn broker_options(configured: &Configured, id: &LinkId, broker: &Broker<'_>) -> Result<LinkOptions> {
    let login = login(broker.username, broker.password_file)?;
    Ok(LinkOptions {
        login,
        tls: broker.tls.map(tls),
        ..LinkOptions::new(
            broker.host,
            broker.port,
            broker
                .client_id
                .map_or_else(|| client_id(configured, id), str::to_owned),
        )
    })
}

/// Our name at a broker, unless the configuration gives one: two gateways, or two links, of one name would throw each
/// other out for ever.
fn client_id(configured: &Configured, id: &LinkId) -> String {
    format!("innkeeper-{}-{id}", configured.property.id)
}

/// The link that another one speaks through.
fn via<'a>(configured: &'a Configured, link: &Link) -> Option<&'a Link> {
    match link {
        Link::Weather(weather) => configured.link(weather.via.as_ref()?),
        Link::Power(power) => configured.link(&power.via),
        _ => None,
    }
}

/// The topic that a figure of the property is told on, where it is told on one.
fn property_topic(link: &Link) -> Option<PropertyTopic> {
    let topic = match link {
        Link::Weather(weather) => weather.topic.clone()?,
        Link::Power(power) => power.topic.clone(),
        _ => return None,
    };
    let figures = figures(link)?;
    Some(PropertyTopic { topic, figures })
}

/// The service that the weather is asked of, where there is one.
fn web_source(link: &Link) -> Option<WebSource> {
    let Link::Weather(weather) = link else { return None };
    let every = u64::try_from(Span::from(weather.every).as_millis()).ok()?;
    Some(WebSource {
        url: weather.url.clone()?,
        tls: weather.tls.as_ref().map_or_else(TlsFiles::of_the_system, tls),
        every: Duration::from_millis(every),
        patience: web::PATIENCE,
        figures: figures(link)?,
    })
}

/// What a link tells of the property, and under which keys.
fn figures(link: &Link) -> Option<Figures> {
    let (key, tells) = match link {
        Link::Weather(weather) => {
            let clouds = weather.clouds_key.clone();
            (weather.key.clone(), Tells::Outdoor { clouds })
        }
        Link::Power(power) => (power.key.clone(), Tells::PowerLimit),
        _ => return None,
    };
    Some(Figures { key, tells })
}

fn ack_mode(link: &CentralLink) -> AckMode {
    match link.ack {
        crate::config::Ack::Broker => AckMode::Broker,
        crate::config::Ack::Central => AckMode::central(),
    }
}

fn login(user: Option<&str>, password_file: Option<&std::path::Path>) -> Result<Option<Login>> {
    let Some(user) = user else { return Ok(None) };
    let password = match password_file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("password file {}", file.display()))?,
        None => String::new(),
    };
    Ok(Some(Login {
        user: user.to_owned(),
        password: password.trim_end_matches(['\r', '\n']).into(),
    }))
}

fn tls(tls: &Tls) -> TlsFiles {
    TlsFiles {
        authorities: tls.ca.clone(),
        identity: tls.cert.clone().zip(tls.key.clone()),
    }
}

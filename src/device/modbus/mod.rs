//! How do bytes come from and go to the devices of one Modbus bus?
//!
//! A bus is described by a [`BusPlan`], started by [`spawn`], told to write through its [`BusHandle`], and speaks in
//! [`BusEvent`]s. It deals in blocks of registers; what they mean is the profile's affair.
//!
//! Limits, and what happens at them:
//! * [`WRITE_QUEUE_MAX`] writes wait for the line; one more is refused to the caller, by name.
//! * One question is in flight. Writes go first; after four of them one due read does.
//! * After a missing or broken answer nothing on the wire is believed until it is clean again (`link`), and no answer that
//!   could be an older one is taken for a new one (`doubt`).
//! * A unit that misses [`Patience::misses`] answers in a row is left alone for 1, 2, 4 ... 60 s, then asked one cheap
//!   read. Such a probe costs one reply limit, on a serial line also the unit's silence.
//! * A consumer that is slow sees the newest reading of each block, every write result and every state; beyond
//!   256 waiting events the line waits for it.
//! * A serial line has a thread of its own, since its silences are finer than the runtime's timers; Modbus/TCP shares
//!   the runtime.
//!
//! Broadcast is not offered: nobody would confirm it.

mod bus;
mod doubt;
mod event;
mod exchange;
mod health;
mod jobs;
mod link;
mod outlet;
mod pace;
mod plan;
mod stats;
mod timetable;

#[cfg(test)]
mod tests;

pub(crate) use bus::WRITES_IN_A_ROW_MAX;
pub use event::{BusEvent, BusState, FailReason, NotSent, Ticket, UnitState, WriteJob, WriteOutcome, WriteResult};
pub use plan::{
    BLOCKS_PER_UNIT_MAX, BlockId, BusPlan, LineSettings, PERIOD_MIN, Parity, Patience, PlanFault, PollBlock,
    READ_BITS_MAX, READ_REGISTERS_MAX, ReadOp, Table, Transport, UNITS_MAX, UnitPlan, WRITE_COILS_MAX,
    WRITE_REGISTERS_MAX, WriteOp,
};
pub use stats::{BusStats, UnitStats};

use crate::model::DeviceId;
use bus::{Bus, Ends};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// Writes that wait for one line. At 9600 baud a write takes some 30 ms, so this is two seconds of them.
pub const WRITE_QUEUE_MAX: usize = 64;
/// Operations of one write: a device's whole setting, and it bounds how long one job holds its turn.
pub const OPS_PER_WRITE_MAX: usize = 16;
/// The stack of a serial line's thread: the bus keeps its data on the heap.
const THREAD_STACK_BYTES: usize = 256 * 1024;

/// Why a bus cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnFault {
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanFault),
    /// The serial line's thread or its runtime cannot be had.
    #[error("bus {link}: no thread for the serial line: {cause}")]
    Thread {
        /// The bus.
        link: crate::model::LinkId,
        /// What the system says.
        cause: io::Error,
    },
}

/// Why a write is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteFault {
    /// The device is not on this bus.
    #[error("device {0} is not on this bus")]
    UnknownDevice(DeviceId),
    /// Nothing to write, too much, or more than the protocol can carry.
    #[error(
        "write to {0} cannot be carried: write 1 to {OPS_PER_WRITE_MAX} operations of 123 registers or 1968 coils at most"
    )]
    Unsound(DeviceId),
    /// The line is far behind.
    #[error("{WRITE_QUEUE_MAX} writes wait already; try again later")]
    QueueFull,
    /// The bus was stopped.
    #[error("the bus is stopped")]
    Stopped,
}

/// The way to a running bus. The bus ends when its last handle is dropped.
#[derive(Debug, Clone)]
pub struct BusHandle {
    orders: mpsc::Sender<WriteJob>,
    stop: Arc<watch::Sender<bool>>,
    stats: Arc<Mutex<BusStats>>,
    devices: Arc<BTreeSet<DeviceId>>,
}

impl BusHandle {
    /// Queues a write. Each accepted write is told exactly once as [`BusEvent::Written`].
    ///
    /// # Errors
    /// Says why it is not accepted; nothing was or will be sent then.
    pub fn write(&self, job: WriteJob) -> Result<(), WriteFault> {
        if !self.devices.contains(&job.device) {
            return Err(WriteFault::UnknownDevice(job.device));
        }
        if !is_sound(&job) {
            return Err(WriteFault::Unsound(job.device));
        }
        self.orders.try_send(job).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => WriteFault::QueueFull,
            mpsc::error::TrySendError::Closed(_) => WriteFault::Stopped,
        })
    }

    /// Returns the counters as they are now.
    pub fn stats(&self) -> BusStats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the bus after the exchange in flight; writes not sent are told as such. Returns when the line is free. The
    /// consumer must keep taking events meanwhile.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        self.orders.closed().await;
    }
}

fn is_sound(job: &WriteJob) -> bool {
    let verify_fits = |read: ReadOp| read.check(&job.device).is_ok();
    let ops_min = usize::from(job.verify.is_none());
    (ops_min..=OPS_PER_WRITE_MAX).contains(&job.ops.len())
        && job.ops.iter().all(WriteOp::is_sound)
        && job.verify.is_none_or(verify_fits)
}

/// Starts a bus. Modbus/TCP runs as a task of the current runtime, a serial line on a thread of its own.
///
/// # Errors
/// Says what is wrong with the plan, or that no thread can be had.
///
/// # Panics
/// Modbus/TCP must be started within a runtime.
pub fn spawn(plan: BusPlan, events: mpsc::Sender<BusEvent>) -> Result<BusHandle, SpawnFault> {
    plan.check()?;
    let (orders, taken) = mpsc::channel(WRITE_QUEUE_MAX);
    let (stop, stopped) = watch::channel(false);
    let units = plan
        .units
        .iter()
        .map(|unit| UnitStats::new(unit.device.clone()))
        .collect();
    let stats = Arc::new(Mutex::new(BusStats {
        units,
        ..BusStats::default()
    }));
    let devices = Arc::new(plan.units.iter().map(|unit| unit.device.clone()).collect());
    let ends = Ends {
        orders: taken,
        stop: stopped,
        events,
        stats: stats.clone(),
    };
    if plan.transport.line().is_some() {
        spawn_thread(plan, ends)?;
    } else {
        tokio::spawn(Bus::new(plan, ends).run());
    }
    Ok(BusHandle {
        orders,
        stop: Arc::new(stop),
        stats,
        devices,
    })
}

fn spawn_thread(plan: BusPlan, ends: Ends) -> Result<(), SpawnFault> {
    let link = plan.link.clone();
    let fault = |cause| SpawnFault::Thread {
        link: link.clone(),
        cause,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(fault)?;
    std::thread::Builder::new()
        .name(format!("bus-{link}"))
        .stack_size(THREAD_STACK_BYTES)
        .spawn(move || runtime.block_on(Bus::new(plan, ends).run()))
        .map(drop)
        .map_err(fault)
}

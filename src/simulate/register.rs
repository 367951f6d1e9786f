//! What would a floor of Siemens RDF302 thermostats answer on a bus?
//!
//! A Modbus TCP server as a gateway has it: many units behind one address, each with the registers of the maker's list
//! (CE1P3079en, pages 45 to 48) as far as a building uses them. The frames are real; only the line is missing. Unknown
//! units, tables and addresses are refused with the exceptions of the standard.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

/// Temperatures are in steps of 0.02 K.
const PER_KELVIN: f64 = 50.0;
/// First input register, as a PDU address, and how many there are.
const INPUT: (u16, usize) = (1000, 12);
/// First holding register and how many.
const HOLDING: (u16, usize) = (100, 9);
/// Places in the tables.
const MODE: usize = 0;
const FAN_OUTPUT: usize = 1;
const ROOM: usize = 2;
const SETPOINT: usize = 3;
const HEATING: usize = 4;
const FAN_WANTED: usize = 1;
const COMFORT: usize = 2;
/// The longest frame a request may have.
const FRAME_MAX: usize = 260;
/// Writes that wait for the hotel.
const WRITES_MAX: usize = 256;

/// A register was written over the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// On which unit.
    pub unit: u8,
    /// Which holding register, as a PDU address.
    pub register: u16,
    /// What.
    pub word: u16,
}

impl Written {
    /// The set-point that was written, C, if that is what was written.
    pub fn setpoint(&self) -> Option<f64> {
        (self.register == HOLDING.0 + COMFORT as u16).then(|| f64::from(self.word as i16) / PER_KELVIN)
    }
}

/// One thermostat's registers.
#[derive(Debug, Clone)]
struct Unit {
    input: [u16; INPUT.1],
    holding: [u16; HOLDING.1],
}

/// A bus of thermostats behind one TCP port. It ends when dropped.
#[derive(Debug)]
pub struct Bus {
    address: SocketAddr,
    units: Units,
    task: JoinHandle<()>,
}

type Units = Arc<Mutex<BTreeMap<u8, Unit>>>;

impl Bus {
    /// Starts a server with these units on a free port of the loopback address. What is written over the bus comes out
    /// of the queue.
    ///
    /// # Errors
    /// What the system says of the port.
    pub async fn start(units: impl IntoIterator<Item = u8>) -> std::io::Result<(Self, mpsc::Receiver<Written>)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let units: Units = Arc::new(Mutex::new(units.into_iter().map(|unit| (unit, Unit::new())).collect()));
        let (writes, written) = mpsc::channel(WRITES_MAX);
        let task = tokio::spawn(accept(listener, units.clone(), writes));
        Ok((Self { address, units, task }, written))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The air that the thermostat feels, C, and how far its valve is open, 0 to 1.
    pub fn feel(&self, unit: u8, air: f64, valve: f64) {
        if let Some(unit) = lock(&self.units).get_mut(&unit) {
            unit.input[ROOM] = raw(air);
            unit.input[HEATING] = (valve * 100.0).round() as u16;
            unit.input[FAN_OUTPUT] = [0, 33, 66, 100][(valve * 3.0).ceil() as usize % 4];
        }
    }

    /// Somebody turns the dial, C.
    pub fn turn(&self, unit: u8, setpoint: f64) {
        if let Some(unit) = lock(&self.units).get_mut(&unit) {
            unit.set(setpoint);
        }
    }

    /// What the thermostat is set to, C.
    pub fn setpoint(&self, unit: u8) -> Option<f64> {
        lock(&self.units).get(&unit).map(|unit| f64::from(unit.input[SETPOINT] as i16) / PER_KELVIN)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Unit {
    fn new() -> Self {
        let mut unit = Self { input: [0; INPUT.1], holding: [0; HOLDING.1] };
        (unit.input[MODE], unit.holding[0]) = (1, 1);
        unit.input[ROOM] = raw(20.0);
        unit.set(21.0);
        unit
    }

    fn set(&mut self, setpoint: f64) {
        (self.input[SETPOINT], self.holding[COMFORT]) = (raw(setpoint), raw(setpoint));
    }

    fn read(&self, function: u8, from: u16, count: u16) -> Option<Vec<u16>> {
        let (table, first): (&[u16], u16) = match function {
            3 => (&self.holding, HOLDING.0),
            _ => (&self.input, INPUT.0),
        };
        let start = usize::from(from.checked_sub(first)?);
        table.get(start..start + usize::from(count)).map(<[u16]>::to_vec)
    }

    fn write(&mut self, at: u16, word: u16) -> Option<()> {
        let place = usize::from(at.checked_sub(HOLDING.0)?);
        *self.holding.get_mut(place)? = word;
        match place {
            COMFORT => self.input[SETPOINT] = word,
            0 => self.input[MODE] = word,
            FAN_WANTED => self.input[FAN_OUTPUT] = word,
            _ => {}
        }
        Some(())
    }
}

fn raw(celsius: f64) -> u16 {
    (celsius * PER_KELVIN).round() as i16 as u16
}

fn lock(units: &Units) -> MutexGuard<'_, BTreeMap<u8, Unit>> {
    units.lock().expect("nothing panics while it holds the registers")
}

async fn accept(listener: TcpListener, units: Units, writes: mpsc::Sender<Written>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, units.clone(), writes.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers one master until it leaves or stops making sense.
async fn serve(mut stream: TcpStream, units: Units, writes: mpsc::Sender<Written>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = [0u8; 7];
    loop {
        stream.read_exact(&mut head).await?;
        let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
        if length < 2 || length > FRAME_MAX {
            return Ok(());
        }
        let mut request = vec![0u8; length - 1];
        stream.read_exact(&mut request).await?;
        let (answer, written) = answer(&mut lock(&units), head[6], &request);
        for word in written {
            let _ = writes.send(word).await;
        }
        let size = (answer.len() + 1) as u16;
        let mut frame = vec![head[0], head[1], 0, 0];
        frame.extend(size.to_be_bytes());
        frame.push(head[6]);
        frame.extend(answer);
        stream.write_all(&frame).await?;
    }
}

/// The exceptions of the Modbus application protocol, 7.
const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;
const NO_ANSWER_BEHIND_GATEWAY: u8 = 11;

/// Returns the answer to one request, and what was written by it.
fn answer(units: &mut BTreeMap<u8, Unit>, unit: u8, request: &[u8]) -> (Vec<u8>, Vec<Written>) {
    let function = request.first().copied().unwrap_or(0);
    let refuse = |code: u8| (vec![function | 0x80, code], Vec::new());
    let Some(thermostat) = units.get_mut(&unit) else { return refuse(NO_ANSWER_BEHIND_GATEWAY) };
    let word = |at: usize| request.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let (Some(at), Some(second)) = (word(1), word(3)) else { return refuse(ILLEGAL_VALUE) };
    match function {
        3 | 4 if second == 0 || second > 125 => refuse(ILLEGAL_VALUE),
        3 | 4 => match thermostat.read(function, at, second) {
            Some(words) => {
                let mut answer = vec![function, (words.len() * 2) as u8];
                answer.extend(words.iter().flat_map(|word| word.to_be_bytes()));
                (answer, Vec::new())
            }
            None => refuse(ILLEGAL_ADDRESS),
        },
        6 => match thermostat.write(at, second) {
            Some(()) => (request[..5].to_vec(), vec![Written { unit, register: at, word: second }]),
            None => refuse(ILLEGAL_ADDRESS),
        },
        16 => {
            let words: Vec<u16> = (0..usize::from(second)).map_while(|n| word(6 + 2 * n)).collect();
            let pairs = || (at..).zip(words.iter().copied());
            if words.is_empty() || words.len() != usize::from(second) {
                return refuse(ILLEGAL_VALUE);
            }
            if !pairs().all(|(register, word)| thermostat.write(register, word).is_some()) {
                return refuse(ILLEGAL_ADDRESS);
            }
            (request[..5].to_vec(), pairs().map(|(register, word)| Written { unit, register, word }).collect())
        }
        _ => refuse(ILLEGAL_FUNCTION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Point, Value};
    use crate::profile::{Library, RegisterImage, Table};

    fn ask(units: &mut BTreeMap<u8, Unit>, unit: u8, request: &[u8]) -> Vec<u8> {
        answer(units, unit, request).0
    }

    #[tokio::test]
    async fn the_registers_decode_with_the_shipped_profile_as_what_the_room_feels() {
        let (bus, _written) = Bus::start([7]).await.unwrap();
        bus.feel(7, 21.4, 0.5);
        bus.turn(7, 23.5);
        let library = Library::built_in().unwrap();
        let profile = library.get("siemens-rdf302").unwrap();
        let mut image = RegisterImage::default();
        for (table, function, first, count) in [(Table::Input, 4, 1000u16, 6u16), (Table::Holding, 3, 100, 5)] {
            let mut request = vec![function];
            request.extend(first.to_be_bytes());
            request.extend(count.to_be_bytes());
            let said = ask(&mut lock(&bus.units), 7, &request);
            assert_eq!(usize::from(said[1]), usize::from(count) * 2);
            let words: Vec<u16> = said[2..].chunks(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
            image.insert(table, first, &words);
        }
        let readings = profile.decode_registers(&image);
        let number = |point| readings.iter().find(|r| r.point == point).and_then(|r| r.value.as_ref()?.number());
        assert_eq!(number(Point::RoomTemperature), Some(21.4));
        assert_eq!(number(Point::TargetTemperature), Some(23.5));
        assert_eq!(number(Point::Heating), Some(50.0));
        let fan = readings.iter().find(|r| r.point == Point::FanMode).unwrap();
        assert!(matches!(fan.value, Some(Value::Fan(_))), "{fan:?}");
    }

    #[tokio::test]
    async fn a_set_point_travels_in_a_real_frame_and_is_read_back() {
        let (bus, mut written) = Bus::start([1]).await.unwrap();
        let mut master = TcpStream::connect(bus.address()).await.unwrap();
        master.write_all(&[0, 9, 0, 0, 0, 6, 1, 6, 0, 102, 0x04, 0x60]).await.unwrap(); // 1120 * 0.02 = 22.4
        let mut echo = [0u8; 12];
        master.read_exact(&mut echo).await.unwrap();
        assert_eq!(echo, [0, 9, 0, 0, 0, 6, 1, 6, 0, 102, 0x04, 0x60]);
        assert_eq!(written.recv().await.and_then(|w| w.setpoint()), Some(22.4));
        assert_eq!(bus.setpoint(1), Some(22.4));
    }

    #[test]
    fn what_is_not_there_is_refused_by_its_exception() {
        let mut units = BTreeMap::from([(1, Unit::new())]);
        assert_eq!(ask(&mut units, 2, &[3, 0, 100, 0, 1]), [0x83, NO_ANSWER_BEHIND_GATEWAY]);
        assert_eq!(ask(&mut units, 1, &[3, 0, 99, 0, 1]), [0x83, ILLEGAL_ADDRESS]);
        assert_eq!(ask(&mut units, 1, &[3, 0, 100, 0, 10]), [0x83, ILLEGAL_ADDRESS]);
        assert_eq!(ask(&mut units, 1, &[3, 0, 100, 0, 0]), [0x83, ILLEGAL_VALUE]);
        assert_eq!(ask(&mut units, 1, &[4, 3]), [0x84, ILLEGAL_VALUE]);
        assert_eq!(ask(&mut units, 1, &[16, 0, 102, 0, 2, 4, 1, 1]), [0x90, ILLEGAL_VALUE]);
        assert_eq!(ask(&mut units, 1, &[43, 0, 0, 0, 0]), [0xAB, ILLEGAL_FUNCTION]);
        assert_eq!(ask(&mut units, 1, &[]), [0x80, ILLEGAL_VALUE]);
    }
}

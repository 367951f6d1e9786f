//! A Modbus/TCP unit for tests: registers that can be set, a limit that clamps what is written, and silence on request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A table of registers: 3 holding, 4 input, as the functions that read them.
pub type Place = (u8, u8, u16);

/// What the server is.
#[derive(Default)]
pub struct Units {
    /// Words by unit, table and address. What is not listed is answered with exception 2.
    pub words: BTreeMap<Place, u16>,
    /// Writes to this register are cut to this.
    pub most: BTreeMap<Place, u16>,
    /// Writes to this register show there too: what a device reports of what it was set to.
    pub shown_at: BTreeMap<Place, Place>,
    /// Words that a read finds once, before the true ones.
    pub noise: BTreeMap<Place, u16>,
    /// Units that do not answer.
    pub silent: BTreeSet<u8>,
    /// Every write: unit, first address, words.
    pub written: Vec<(u8, u16, Vec<u16>)>,
    /// How often each unit was read.
    pub reads: BTreeMap<u8, u32>,
}

impl Units {
    /// Sets neighbours of a table.
    pub fn set(&mut self, unit: u8, table: u8, start: u16, words: &[u16]) {
        for (address, word) in (start..).zip(words) {
            self.words.insert((unit, table, address), *word);
        }
    }

    fn read(&mut self, unit: u8, table: u8, start: u16, count: u16) -> Option<Vec<u16>> {
        *self.reads.entry(unit).or_default() += 1;
        let word = |address| {
            let place = (unit, table, address);
            self.noise.remove(&place).or_else(|| self.words.get(&place).copied())
        };
        (start..start + count).map(word).collect()
    }

    fn write(&mut self, unit: u8, start: u16, words: Vec<u16>) {
        for (address, word) in (start..).zip(&words) {
            let place = (unit, 3, address);
            let word = self.most.get(&place).map_or(*word, |most| *most.min(word));
            self.words.insert(place, word);
            if let Some(shown) = self.shown_at.get(&place).copied() {
                self.words.insert(shown, word);
            }
        }
        self.written.push((unit, start, words));
    }
}

/// A running server; it ends with its value.
pub struct Server {
    pub address: String,
    pub units: Arc<Mutex<Units>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(units: Units) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let units = Arc::new(Mutex::new(units));
        let shared = units.clone();
        let task = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, units, task }
    }
}

async fn serve(mut stream: TcpStream, units: Arc<Mutex<Units>>) {
    let _ = stream.set_nodelay(true);
    let mut head = [0; 7];
    while stream.read_exact(&mut head).await.is_ok() {
        let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
        if stream.read_exact(&mut pdu).await.is_err() {
            return;
        }
        let Some(answer) = answer(&units, head[6], &pdu) else {
            continue;
        };
        let mut bytes = head.to_vec();
        bytes[4..6].copy_from_slice(&(answer.len() as u16 + 1).to_be_bytes());
        bytes.extend(answer);
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

fn answer(units: &Mutex<Units>, unit: u8, pdu: &[u8]) -> Option<Vec<u8>> {
    let mut units = units.lock().unwrap();
    if units.silent.contains(&unit) {
        return None;
    }
    let word = |at: usize| u16::from_be_bytes([pdu[at], pdu[at + 1]]);
    let (function, start) = (pdu[0], word(1));
    Some(match function {
        3 | 4 => match units.read(unit, function, start, word(3)) {
            Some(words) => {
                let mut answer = vec![function, (words.len() * 2) as u8];
                answer.extend(words.into_iter().flat_map(u16::to_be_bytes));
                answer
            }
            None => vec![function | 0x80, 2],
        },
        6 => {
            units.write(unit, start, vec![word(3)]);
            pdu.to_vec()
        }
        16 => {
            let words = pdu[6..]
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            units.write(unit, start, words.collect());
            pdu[..5].to_vec()
        }
        _ => vec![function | 0x80, 1],
    })
}

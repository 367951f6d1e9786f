//! What does the running daemon answer the engineer at the command line?
//!
//! A Unix socket beside the store, for its owner only. One question a line, as JSON; one answer a line. The store is never
//! opened by anybody else while the daemon runs.

use super::inbox::{Inbox, Question};
use crate::model::{Event, OverrideNotice};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// The longest question.
const QUESTION_BYTES_MAX: u64 = 4096;
/// Whoever is connected and says nothing for so long is let go.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// The socket of a store.
pub fn socket_of(store: &Path) -> PathBuf {
    store.join("control.sock")
}

/// Opens the socket; one that a killed daemon left behind is replaced.
///
/// # Errors
/// Those of the file system.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        Err(fault) => return Err(fault),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the runtime ends. `reload` is told when the configuration is to be read again, and answers in words.
pub async fn serve(listener: UnixListener, inbox: mpsc::Sender<Inbox>, reload: mpsc::Sender<oneshot::Sender<String>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (inbox, reload) = (inbox.clone(), reload.clone());
        tokio::spawn(async move {
            if let Err(fault) = tokio::time::timeout(PATIENCE, answer_all(stream, inbox, reload)).await {
                tracing::debug!(%fault, "control connection let go");
            }
        });
    }
}

async fn answer_all(stream: UnixStream, inbox: mpsc::Sender<Inbox>, reload: mpsc::Sender<oneshot::Sender<String>>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(QUESTION_BYTES_MAX * 16)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match serde_json::from_str::<Question>(&line) {
            Ok(Question::Reload) => ask_reload(&reload).await,
            Ok(Question::Override(notice)) => override_room(&inbox, notice).await,
            Ok(question) => ask(&inbox, question).await,
            Err(fault) => serde_json::json!({ "error": format!("not a question: {fault}") }),
        };
        if writer.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
            break;
        }
    }
}

async fn ask(inbox: &mpsc::Sender<Inbox>, question: Question) -> serde_json::Value {
    let (to, answer) = oneshot::channel();
    if inbox.send(Inbox::Ask(question, to)).await.is_err() {
        return serde_json::json!({ "error": "the daemon is stopping" });
    }
    answer
        .await
        .unwrap_or_else(|_| serde_json::json!({ "error": "the daemon is stopping" }))
}

async fn override_room(inbox: &mpsc::Sender<Inbox>, notice: OverrideNotice) -> serde_json::Value {
    let room = notice.room.clone();
    // A closed inbox shows in the question that follows.
    let _ = inbox.send(Inbox::Events(vec![Event::Override(notice)])).await;
    ask(inbox, Question::Room(room)).await
}

async fn ask_reload(reload: &mpsc::Sender<oneshot::Sender<String>>) -> serde_json::Value {
    let (to, answer) = oneshot::channel();
    let _ = reload.send(to).await;
    serde_json::json!({ "reload": answer.await.unwrap_or_else(|_| "the daemon is stopping".into()) })
}

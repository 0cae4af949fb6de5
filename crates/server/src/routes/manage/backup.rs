//! `/api/v1/site/backup` and `/api/v1/site/restore`: one state of everything that is edited; `/api/v1/site/keys`: keys of secrets.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use futures_util::stream;
use netwatch_api::ProblemCode;
use netwatch_api::backup::{BackupContents, KeyRotated, Restored};
use netwatch_entities::OpenError;
use netwatch_entities::backup::Contents;
use netwatch_identity::audit::Entry;
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef, Session};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::asker::{Asker, change as write};
use crate::access::record;
use crate::app::App;
use crate::fault::Fault;
use crate::params::Params;
use crate::routes::NoParams;

/// Largest backup that is taken, bytes.
pub(super) const MAX_BACKUP: usize = 8 << 30;
/// Pieces of a backup on their way out; more wait.
const QUEUE: usize = 8;
/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// Make a backup
///
/// A tar archive with a manifest and one state of the entity database, taken while others work. The keys of the secrets are not in it.
#[utoipa::path(
    get, path = "/api/v1/site/backup", operation_id = "make_backup", tag = "backup",
    responses((status = 200, description = "The archive", body = String, content_type = "application/x-tar"))
)]
pub(super) async fn make(app: App, asker: Asker, _: Params<NoParams>) -> Result<Response, Fault> {
    let object = ObjectRef::new(ObjectKind::Site, "", "backup");
    write(&app, move |tx| Ok(record(tx, asker.by().did(Action::BackupMade, object))?)).await?;
    let now = app.now();
    let (give, take) = mpsc::channel::<Result<Bytes, std::io::Error>>(QUEUE);
    let directory = Arc::clone(app.access().directory());
    tokio::task::spawn_blocking(move || {
        let mut out = std::io::BufWriter::with_capacity(PIECE, Pieces(give.clone()));
        let made = directory.back_up_to(&mut out, now);
        if let Err(error) = made {
            tracing::error!(error = &error as &dyn std::error::Error, "a backup could not be made");
            // The answer breaks off, so that nobody takes it for a whole one; who has gone hears nothing.
            let _ = give.blocking_send(Err(std::io::Error::other("the backup could not be made")));
        }
    });
    let body = stream::unfold(take, |mut take| async move { take.recv().await.map(|piece| (piece, take)) });
    // Compression asks once more after the end.
    let body = body.fuse();
    let name = format!("attachment; filename=\"netwatch-{}.tar\"", now.secs());
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let headers: [(HeaderName, HeaderValue); 2] =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/x-tar")), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Restore a backup
///
/// Puts the state of the archive in place of everything that is edited; the state before is kept on the machine of the server. All
/// sessions end. For the holder of the token of the data directory: `netwatch restore` does it.
#[utoipa::path(
    post, path = "/api/v1/site/restore", operation_id = "restore_backup", tag = "backup",
    request_body(content = String, content_type = "application/x-tar"),
    responses((status = 200, description = "What is there now", body = Restored),
              (status = 400, description = "The archive is not whole, or of a later format; nothing has changed"))
)]
pub(super) async fn restore(app: App, asker: Asker, request: Request) -> Result<Json<Restored>, Fault> {
    let with = app.clone();
    let (part, file) = app.blocking(move || with.access().directory().incoming()).await?.map_err(|e| failed(&e))?;
    receive(request, file).await?;
    let (with, now) = (app.clone(), app.now());
    let restored = app
        .blocking(move || {
            let restored = with.access().directory().restore(part.path(), now);
            with.access().restored()?;
            restored.map_err(refused)
        })
        .await??;
    let kept = restored.kept.map(|path| path.display().to_string()).unwrap_or_default();
    let shown = kept.clone();
    write(&app, move |tx| {
        tx.delete_all::<Session>(netwatch_entities::Site)?;
        let did = asker.by().did(Action::BackupRestored, ObjectRef::new(ObjectKind::Site, "", "backup"));
        Ok(record(tx, Entry { after: Some(Fields::new().with("kept", shown)), ..did })?)
    })
    .await?;
    let with = app.clone();
    app.blocking(move || {
        with.apply_all_to_store();
        with.join_agents();
    })
    .await?;
    let Contents { format, objects, audit_records } = restored.contents;
    let contents = BackupContents { format, objects, audit_records };
    Ok(Json(Restored { kept, contents }))
}

/// Seal all secrets with a new key
///
/// For the holder of the token of the data directory. Older keys stay in the key file, for backups.
#[utoipa::path(
    post, path = "/api/v1/site/keys", operation_id = "rotate_keys", tag = "backup",
    responses((status = 200, description = "How many secrets were sealed anew", body = KeyRotated))
)]
pub(super) async fn rotate_keys(app: App, asker: Asker, _: Params<NoParams>) -> Result<Json<KeyRotated>, Fault> {
    let (with, now) = (app.clone(), app.now());
    let rotated = app
        .blocking(move || {
            let rotated = with.access().entities().rotate_key(now);
            // Agents are told their new keys.
            with.assign_probes();
            rotated
        })
        .await?;
    let secrets = rotated.map_err(|error| failed(&error))?;
    write(&app, move |tx| {
        let did = asker.by().did(Action::KeysRotated, ObjectRef::new(ObjectKind::Site, "", "keys of secrets"));
        Ok(record(tx, Entry { after: Some(Fields::new().with("secrets", secrets)), ..did })?)
    })
    .await?;
    Ok(Json(KeyRotated { secrets }))
}

/// Writes a body to a file.
async fn receive(request: Request, file: std::fs::File) -> Result<(), Fault> {
    let (mut body, mut out) = (request.into_body().into_data_stream(), tokio::fs::File::from_std(file));
    while let Some(piece) = body.next().await {
        let cut = |_| Fault::new(ProblemCode::InvalidParameter, "the archive did not arrive whole: send it again");
        out.write_all(&piece.map_err(cut)?).await.map_err(|error| failed(&error))?;
    }
    out.flush().await.map_err(|error| failed(&error))
}

/// A backup that cannot be restored: what is wrong with it is for the one who sent it.
fn refused(error: OpenError) -> Fault {
    match error {
        OpenError::NoBackup { detail, .. } => {
            Fault::new(ProblemCode::InvalidParameter, format!("this is no backup that can be restored: {detail}"))
        }
        OpenError::Newer { found, known, .. } => {
            let detail = format!(
                "the backup has format {found}, and this server knows formats up to {known}: restore it with the newer Netwatch"
            );
            Fault::new(ProblemCode::InvalidParameter, detail)
        }
        other => failed(&other),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error, "a backup or the keys of secrets failed");
    Fault::new(ProblemCode::Internal, "the server cannot use its data directory; its log tells more")
}

/// Bytes of an archive, handed on as pieces of a body.
struct Pieces(mpsc::Sender<Result<Bytes, std::io::Error>>);

impl std::io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

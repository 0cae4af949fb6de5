//! What a record of the log holds: the workspace that a batch belongs to, and the batch.

use netwatch_model::BatchKey;
use netwatch_model::codec::{DecodeError, key_of};
use netwatch_model::people::WorkspaceId;

/// The form of an entry; another one is not read.
const FORM: u8 = 1;

/// Begins an entry; the encoded batch follows.
pub(super) fn begin(workspace: WorkspaceId, out: &mut Vec<u8>) {
    out.clear();
    out.push(FORM);
    out.extend_from_slice(&workspace.bits().to_le_bytes());
}

/// The workspace and the encoded batch of an entry.
pub(super) fn parse(entry: &[u8]) -> Result<(WorkspaceId, &[u8]), DecodeError> {
    let (form, rest) = entry.split_first().ok_or(DecodeError::Cut)?;
    if *form != FORM {
        return Err(DecodeError::Version(*form));
    }
    let (workspace, batch) = rest.split_first_chunk().ok_or(DecodeError::Cut)?;
    Ok((WorkspaceId::from_bits(u128::from_le_bytes(*workspace)), batch))
}

/// The key of the batch of an entry.
pub(super) fn key(entry: &[u8]) -> Result<BatchKey, DecodeError> {
    parse(entry).and_then(|(_, batch)| key_of(batch))
}

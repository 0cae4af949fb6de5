//! Columns on their way into a table: whole batches, not row by row.

use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayRef, BinaryArray, Int64Array, StringArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use duckdb::arrow::datatypes::{DataType, Field, Schema};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, Error};

/// Rows of which columns are made at once: as many as DuckDB takes at once, and as stay in the processor's cache meanwhile.
const PART: usize = 2048;

/// The columns of many wide rows, some rows at a time.
pub(crate) fn in_parts<T>(rows: &[T], columns: impl Fn(&[T]) -> Columns) -> Vec<Columns> {
    rows.chunks(PART).map(columns).collect()
}

/// Adds many rows to a table, in the open transaction.
pub(crate) fn append_parts(to: &Connection, (alias, table): (&str, &str), parts: Vec<Columns>) -> Result<(), Error> {
    let mut appender = to.appender_to_catalog_and_db(table, alias, "main")?;
    parts.into_iter().try_for_each(|part| appender.append_record_batch(part.batch()?))?;
    appender.flush()
}

/// Columns of the same length, in the order of the table.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    pub(crate) fn i64(self, values: Vec<i64>) -> Self {
        self.push(DataType::Int64, Arc::new(Int64Array::from(values)))
    }

    pub(crate) fn u64(self, values: Vec<u64>) -> Self {
        self.push(DataType::UInt64, Arc::new(UInt64Array::from(values)))
    }

    pub(crate) fn u32(self, values: Vec<u32>) -> Self {
        self.push(DataType::UInt32, Arc::new(UInt32Array::from(values)))
    }

    pub(crate) fn maybe_u32(self, values: Vec<Option<u32>>) -> Self {
        self.push(DataType::UInt32, Arc::new(UInt32Array::from(values)))
    }

    pub(crate) fn u16(self, values: Vec<u16>) -> Self {
        self.push(DataType::UInt16, Arc::new(UInt16Array::from(values)))
    }

    pub(crate) fn u8(self, values: Vec<u8>) -> Self {
        self.push(DataType::UInt8, Arc::new(UInt8Array::from(values)))
    }

    pub(crate) fn maybe_u8(self, values: Vec<Option<u8>>) -> Self {
        self.push(DataType::UInt8, Arc::new(UInt8Array::from(values)))
    }

    pub(crate) fn bytes<'a>(self, values: impl Iterator<Item = &'a [u8]>) -> Self {
        self.push(DataType::Binary, Arc::new(BinaryArray::from_iter_values(values)))
    }

    pub(crate) fn text<'a>(self, values: impl Iterator<Item = Option<&'a str>>) -> Self {
        self.push(DataType::Utf8, Arc::new(values.collect::<StringArray>()))
    }

    fn push(mut self, kind: DataType, array: ArrayRef) -> Self {
        self.fields.push(Field::new(format!("c{}", self.fields.len()), kind, true));
        self.arrays.push(array);
        self
    }

    /// Adds the rows to a table, in the open transaction.
    pub(crate) fn append(self, to: &Connection, alias: &str, table: &str) -> Result<(), Error> {
        if self.rows() == 0 {
            return Ok(());
        }
        append_parts(to, (alias, table), vec![self])
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.arrays.first().map_or(0, |array| array.len())
    }

    fn batch(self) -> Result<RecordBatch, Error> {
        let batch = RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays);
        batch.map_err(|e| Error::ToSqlConversionFailure(Box::new(e)))
    }
}

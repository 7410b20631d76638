//! SQL over the masking views, through DataFusion. One statement, one mask, reading only.
//!
//! A statement runs on a thread of its own, and whoever asked waits for it here and looks again and again whether it may go on: [`watch`]. The plan
//! asks at every step whether it may: [`guard`]. What DataFusion says of a statement becomes plain sentences: [`told`].

mod guard;
mod told;
pub mod watch;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execute_stream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use weir_base::task::give_way;
use weir_record::Kind;
use weir_store::engine::Store;

use crate::QueryError;
use crate::limits::{SQL_ANSWER_BYTES, SQL_MEMORY_BYTES, SQL_MEMORY_BYTES_MIN, SQL_ROWS, SQL_STACK_BYTES};
use crate::mask::{self, Mask};
use crate::rows::{Rows, Wanted};

use watch::{Control, During};

/// What a statement gave back.
#[derive(Debug)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows, at most [`SQL_ROWS`].
    pub batches: Vec<RecordBatch>,
    /// True when there were more rows than are returned.
    pub cut: bool,
}

/// Functions that make long texts of short ones: a single call could take all memory, and nothing could step in.
const LONG_TEXTS: [&str; 4] = ["repeat", "lpad", "rpad", "replace"];

struct View {
    store: Arc<Store>,
    mask: Arc<Mask>,
    kind: Kind,
    schema: SchemaRef,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({})", self.kind)
    }
}

impl PartitionStream for View {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let failed = |e: QueryError| DataFusionError::External(Box::new(e));
        let rows: Box<dyn Iterator<Item = _> + Send> = match Rows::new(&self.store, &self.mask, Wanted::all(self.kind)) {
            Ok(rows) => Box::new(rows.map(move |batch| batch.map_err(failed))),
            Err(e) => Box::new(std::iter::once(Err(failed(e)))),
        };
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(rows)))
    }
}

/// Bytes one statement may hold: an eighth of what the store has, within limits.
fn memory(store: &Store) -> usize {
    usize::try_from(store.memory_bytes() / 8).unwrap_or(usize::MAX).clamp(SQL_MEMORY_BYTES_MIN, SQL_MEMORY_BYTES)
}

/// What a statement may use: the views of these kinds, so much memory, and no file: what does not fit is not written to a disk in the clear.
fn session(store: &Arc<Store>, kinds: &[Kind]) -> Result<SessionContext, QueryError> {
    let internal = |e: DataFusionError| QueryError::Internal(e.to_string());
    let pool = Arc::new(GreedyMemoryPool::new(memory(store)));
    let nowhere = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(nowhere).build_arc().map_err(internal)?;
    let mut config = SessionConfig::new().with_target_partitions(1).with_information_schema(true);
    config.options_mut().execution.enable_recursive_ctes = false;
    let context = SessionContext::new_with_config_rt(config, runtime);
    LONG_TEXTS.iter().for_each(|name| context.deregister_udf(name));
    let mask = Arc::new(Mask::new());
    for kind in kinds.iter().copied() {
        let schema = mask::schema(kind)?;
        let view = View { store: Arc::clone(store), mask: Arc::clone(&mask), kind, schema: Arc::clone(&schema) };
        let table = StreamingTable::try_new(schema, vec![Arc::new(view)]).map_err(internal)?;
        context.register_table(kind.name(), Arc::new(table)).map_err(internal)?;
    }
    Ok(context)
}

/// Runs one reading statement over the views of the kinds that are `open` to who asks. `place` is given back when nothing of the statement runs any
/// more, which may be after this returns.
///
/// # Errors
/// The statement is none, it was ended before its end ([`QueryError::Ended`]), or the store says why not.
pub fn run(
    store: &Arc<Store>,
    statement: &str,
    open: &dyn Fn(Kind) -> bool,
    during: &During<'_>,
    place: Box<dyn Any + Send>,
) -> Result<Answer, QueryError> {
    told::fits(statement)?;
    let kinds: Vec<Kind> = mask::kinds().filter(|k| open(*k)).collect();
    let control = Arc::new(Control::of(memory(store)));
    let (send, receive) = sync_channel(1);
    let (store, statement, within) = (Arc::clone(store), statement.to_owned(), Arc::clone(&control));
    let body = move || {
        // Whatever somebody asks may wait for what comes in, and for its sealing no less than sealing for it.
        give_way();
        let result = catch_unwind(AssertUnwindSafe(|| execute(&store, &statement, &kinds, &within)));
        drop((store, place));
        // Nobody may wait any more.
        let _ = send.send(result.unwrap_or_else(|_| Err(QueryError::Internal("a statement of SQL panicked".to_owned()))));
    };
    Builder::new().name("sql".to_owned()).stack_size(SQL_STACK_BYTES).spawn(body).map_err(|_| told::no_thread())?;
    during.wait(&receive, &control)
}

fn execute(store: &Arc<Store>, statement: &str, kinds: &[Kind], control: &Arc<Control>) -> Result<Answer, QueryError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|_| told::no_thread())?;
    runtime.block_on(async {
        let context = session(store, kinds)?;
        let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let told = |e: DataFusionError| told::told(&e, control, kinds);
        let frame = context.sql_with_options(statement, reading).await.map_err(told)?;
        let schema = Arc::clone(frame.schema().inner());
        let task = Arc::new(frame.task_ctx());
        let plan = guard::guarded(frame.create_physical_plan().await.map_err(told)?, control).map_err(told)?;
        let mut stream = execute_stream(plan, task).map_err(told)?;
        let (mut batches, mut rows, mut bytes, mut cut) = (Vec::new(), 0, 0, false);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(told)?;
            let take = batch.num_rows().min(SQL_ROWS - rows);
            let batch_bytes = guard::bytes(&batch);
            cut |= take < batch.num_rows() || bytes + batch_bytes > SQL_ANSWER_BYTES;
            if bytes + batch_bytes > SQL_ANSWER_BYTES {
                break;
            }
            rows += take;
            bytes += batch_bytes;
            batches.push(batch.slice(0, take));
            if cut {
                break;
            }
        }
        Ok(Answer { schema, batches, cut })
    })
}

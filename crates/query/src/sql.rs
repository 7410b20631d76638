//! SQL over the masking views, through DataFusion. One statement, one mask, reading only.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use weir_record::Kind;
use weir_store::engine::Store;

use crate::QueryError;
use crate::limits::{SQL_MEMORY_BYTES, SQL_ROWS, STATEMENT_BYTES};
use crate::mask::{self, Mask};
use crate::rows::{Rows, Wanted};

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

fn session(store: &Arc<Store>, open: &dyn Fn(Kind) -> bool) -> Result<SessionContext, QueryError> {
    let internal = |e: DataFusionError| QueryError::Internal(e.to_string());
    let pool = Arc::new(GreedyMemoryPool::new(SQL_MEMORY_BYTES));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().map_err(internal)?;
    let config = SessionConfig::new().with_target_partitions(1).with_information_schema(true);
    let context = SessionContext::new_with_config_rt(config, runtime);
    let mask = Arc::new(Mask::new());
    for kind in mask::kinds().filter(|k| open(*k)) {
        let schema = mask::schema(kind)?;
        let view = View { store: Arc::clone(store), mask: Arc::clone(&mask), kind, schema: Arc::clone(&schema) };
        let table = StreamingTable::try_new(schema, vec![Arc::new(view)]).map_err(internal)?;
        context.register_table(kind.name(), Arc::new(table)).map_err(internal)?;
    }
    Ok(context)
}

/// Runs one reading statement over the views of the kinds that are `open` to who asks.
pub fn run(store: &Arc<Store>, statement: &str, open: &dyn Fn(Kind) -> bool) -> Result<Answer, QueryError> {
    if statement.len() > STATEMENT_BYTES {
        return Err(QueryError::Statement(format!("it is {} bytes long, at most {STATEMENT_BYTES} are allowed", statement.len())));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let context = session(store, open)?;
        let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let told = |e: DataFusionError| told(&e);
        let frame = context.sql_with_options(statement, reading).await.map_err(told)?;
        let schema = Arc::clone(frame.schema().inner());
        let mut stream = frame.execute_stream().await.map_err(told)?;
        let (mut batches, mut rows, mut cut) = (Vec::new(), 0, false);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(told)?;
            let take = batch.num_rows().min(SQL_ROWS - rows);
            cut |= take < batch.num_rows();
            rows += take;
            batches.push(batch.slice(0, take));
            if cut {
                break;
            }
        }
        Ok(Answer { schema, batches, cut })
    })
}

/// Our own errors come back as they were; everything else is about the statement.
fn told(error: &DataFusionError) -> QueryError {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(e) = at {
        if let Some(ours) = e.downcast_ref::<QueryError>() {
            return QueryError::Internal(ours.to_string());
        }
        at = e.source();
    }
    QueryError::Statement(error.strip_backtrace())
}

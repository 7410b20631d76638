//! A guard between all steps of a plan. DataFusion's steps neither look at a clock nor ask whether somebody still waits, and a join or a count over
//! one may work for hours before it gives a row on; so whatever passes from one step to the next is counted here, and an error comes back in its place
//! once the statement has to end. What may pass at once is cut so that the work between two looks has a bound.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ReplaceChildrenOptions, replace_children_if_necessary};
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};

use super::watch::Control;
use crate::QueryError;
use crate::limits::{SQL_BATCH_ROWS, SQL_PAIR_ROWS, SQL_PAIRS};

/// What the step above does with what it gets.
#[derive(Clone, Debug)]
enum Role {
    /// Takes it in passing, or answers itself for what it keeps.
    Passing,
    /// Keeps it until it is done, and counts.
    Kept(Arc<AtomicU64>),
    /// Holds each row of it against all that were kept.
    Against(Arc<AtomicU64>),
}

/// The plan with its guards.
///
/// # Errors
/// If a step does not take a guard for its child.
pub fn guarded(plan: Arc<dyn ExecutionPlan>, control: &Arc<Control>) -> Result<Arc<dyn ExecutionPlan>> {
    guard(&plan, control, Role::Passing)
}

fn guard(plan: &Arc<dyn ExecutionPlan>, control: &Arc<Control>, role: Role) -> Result<Arc<dyn ExecutionPlan>> {
    let pairs = plan.is::<HashJoinExec>() || plan.is::<NestedLoopJoinExec>();
    let keeps = pairs || plan.is::<CrossJoinExec>() || plan.is::<WindowAggExec>() || plan.is::<BoundedWindowAggExec>();
    let count = Arc::new(AtomicU64::new(0));
    let role_of = |child: usize| match child {
        0 if keeps => Role::Kept(Arc::clone(&count)),
        1 if pairs => Role::Against(Arc::clone(&count)),
        _ => Role::Passing,
    };
    let children =
        plan.children().into_iter().enumerate().map(|(i, child)| guard(child, control, role_of(i))).collect::<Result<Vec<_>>>()?;
    let inner = replace_children_if_necessary(Arc::clone(plan), children)?;
    Ok(Arc::new(Guard { properties: Arc::clone(inner.properties()), inner, control: Arc::clone(control), role }))
}

/// Bytes of a batch's rows; those without columns take some too.
pub fn bytes(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter().map(|c| c.to_data().get_slice_memory_size().unwrap_or_else(|_| c.get_array_memory_size()));
    size_of::<RecordBatch>() + columns.sum::<usize>()
}

/// A step as its guard shows it.
#[derive(Debug)]
struct Guard {
    inner: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    control: Arc<Control>,
    role: Role,
}

impl DisplayAs for Guard {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl ExecutionPlan for Guard {
    fn name(&self) -> &str {
        "Guard"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.inner]
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let inner = children.pop().ok_or_else(|| DataFusionError::Internal("a guard without a step".to_owned()))?;
        let properties = Arc::clone(inner.properties());
        Ok(Arc::new(Guard { inner, properties, control: Arc::clone(&self.control), role: self.role.clone() }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let inner = self.inner.execute(partition, context)?;
        Ok(Box::pin(Guarded { inner, control: Arc::clone(&self.control), role: self.role.clone(), rest: None }))
    }
}

/// What passes.
struct Guarded {
    inner: SendableRecordBatchStream,
    control: Arc<Control>,
    role: Role,
    /// Rows of the last batch that have not passed yet.
    rest: Option<RecordBatch>,
}

impl Guarded {
    /// Rows that may pass at once.
    fn most(&self) -> usize {
        let Role::Against(kept) = &self.role else { return SQL_BATCH_ROWS };
        let kept = usize::try_from(kept.load(Ordering::SeqCst)).unwrap_or(usize::MAX).max(1);
        (SQL_PAIRS / kept).clamp(SQL_PAIR_ROWS, SQL_BATCH_ROWS)
    }

    /// The next rows of a batch.
    fn pass(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows().min(self.most());
        let passing = batch.slice(0, rows);
        self.rest = (rows < batch.num_rows()).then(|| batch.slice(rows, batch.num_rows() - rows));
        let kept = if let Role::Kept(count) = &self.role {
            count.fetch_add(rows as u64, Ordering::SeqCst);
            true
        } else {
            false
        };
        self.control.passes(rows as u64, bytes(&passing) as u64, kept);
        self.may().map(|()| passing)
    }

    fn may(&self) -> Result<()> {
        self.control.why().map_or(Ok(()), |why| Err(DataFusionError::External(Box::new(QueryError::Ended(why)))))
    }
}

impl Stream for Guarded {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(e) = self.may() {
            return Poll::Ready(Some(Err(e)));
        }
        let next = match self.rest.take() {
            Some(rest) => Some(Ok(rest)),
            None => ready!(self.inner.poll_next_unpin(context)),
        };
        Poll::Ready(next.map(|batch| batch.and_then(|batch| self.pass(&batch))))
    }
}

impl RecordBatchStream for Guarded {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }
}

import * as tf from '@tensorflow/tfjs-core';
import type { Trace, Traced } from '../trace.js';
import { countTo } from './arrange.js';
import { castTo } from './elementwise.js';
import { mapKernel } from './register.js';

mapKernel<{ axis: number; batchDims: number }>('GatherV2', ({ trace, input, attributes }) => {
  const [x, indices] = [input('x'), input('indices')];
  const [axis] = tf.util.parseAxisParam(attributes.axis, x.shape);
  const batchDims = attributes.batchDims ?? 0;
  const shape = [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)];
  if (batchDims === 0) return trace.emit('Gather', [x, indices], { type: x.type, shape }, { axis });
  // Columns of a matrix, by row: one operator instead of three, in the step of every search that looks tokens up.
  if (x.shape.length === 2 && indices.shape.length === 2 && axis === 1) {
    return trace.emit('GatherElements', [x, indices], { type: x.type, shape }, { axis });
  }
  return gatherInBatch(trace, x, indices, axis, batchDims, shape);
});

/** GatherND with batch dimensions wants the gathered axis right behind them. */
function gatherInBatch(
  trace: Trace,
  x: Traced,
  indices: Traced,
  axis: number,
  batchDims: number,
  shape: number[],
): Traced {
  const between = x.shape.slice(batchDims, axis);
  const from =
    axis === batchDims
      ? x
      : trace.emit(
          'Transpose',
          [x],
          { type: x.type, shape: movedFront(x.shape, axis, batchDims) },
          { perm: movedFront([...x.shape.keys()], axis, batchDims) },
        );
  const wide = trace.emit(
    'Unsqueeze',
    [castTo(trace, indices, 'int64'), trace.ints([indices.shape.length])],
    {
      type: 'int64',
      shape: [...indices.shape, 1],
    },
  );
  const gatheredShape = [...indices.shape, ...between, ...x.shape.slice(axis + 1)];
  const gathered = trace.emit(
    'GatherND',
    [from, wide],
    { type: x.type, shape: gatheredShape },
    { batch_dims: batchDims },
  );
  if (between.length === 0) return gathered;
  // [batch, indices, between, rest] -> [batch, between, indices, rest]
  const order = [...gatheredShape.keys()];
  const indexAxes = order.slice(batchDims, indices.shape.length);
  const betweenAxes = order.slice(indices.shape.length, indices.shape.length + between.length);
  const rest = order.slice(indices.shape.length + between.length);
  const perm = [...order.slice(0, batchDims), ...betweenAxes, ...indexAxes, ...rest];
  return trace.emit('Transpose', [gathered], { type: x.type, shape }, { perm });
}

function movedFront(list: readonly number[], from: number, to: number): number[] {
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), list[from], ...rest.slice(to)];
}

mapKernel('GatherNd', ({ trace, input }) => {
  const [params, indices] = [input('params'), input('indices')];
  const depth = indices.shape[indices.shape.length - 1];
  const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
  return trace.emit('GatherND', [params, castTo(trace, indices, 'int64')], { type: params.type, shape });
});

function zeros(trace: Trace, type: Traced['type'], shape: readonly number[]): Traced {
  return trace.emit('Expand', [trace.constant(type, [], [0]), trace.shape(shape)], { type, shape });
}

mapKernel<{ numSegments: number }>('UnsortedSegmentSum', ({ trace, input, attributes }) => {
  const [x, ids] = [input('x'), input('segmentIds')];
  const rest = x.shape.slice(ids.shape.length);
  const shape = [attributes.numSegments, ...rest];
  // Rows of segments below 0 or above the last are dropped: they add 0 to another segment.
  const segments = castTo(trace, ids, 'int64');
  const zero = trace.constant('int64', [], [0]);
  const last = trace.emit('Sub', [trace.size(attributes.numSegments), trace.ints([1])], {
    type: 'int64',
    shape: [1],
  });
  const safe = trace.emit('Min', [trace.emit('Max', [segments, zero], segments), last], segments);
  const kept = trace.emit('Equal', [safe, segments], { type: 'bool', shape: ids.shape });
  const wide = trace.reshape(kept, [...ids.shape, ...rest.map(() => 1)]);
  const rows = trace.emit('Where', [wide, x, trace.constant(x.type, [], [0])], x);
  const index = trace.emit('Unsqueeze', [safe, trace.ints([ids.shape.length])], {
    type: 'int64',
    shape: [...ids.shape, 1],
  });
  return trace.emit(
    'ScatterND',
    [zeros(trace, x.type, shape), index, rows],
    { type: x.type, shape },
    { reduction: 'add' },
  );
});

mapKernel<{ shape: number[] }>('ScatterNd', ({ trace, input, attributes }) => {
  const [indices, updates] = [castTo(trace, input('indices'), 'int64'), input('updates')];
  const { shape } = attributes;
  const base = zeros(trace, updates.type, shape);
  return trace.emit(
    'ScatterND',
    [base, indices, updates],
    { type: updates.type, shape },
    { reduction: 'add' },
  );
});

mapKernel('TensorScatterUpdate', ({ trace, input }) => {
  const [tensor, indices, updates] = [
    input('tensor'),
    castTo(trace, input('indices'), 'int64'),
    input('updates'),
  ];
  return trace.emit('ScatterND', [tensor, indices, updates], tensor);
});

/** An index outside 0 .. depth-1 matches nothing: its row is all `offValue`. */
mapKernel<{ depth: number; onValue: number; offValue: number; dtype?: 'float32' | 'int32' | 'bool' }>(
  'OneHot',
  ({ trace, input, attributes }) => {
    const indices = castTo(trace, input('indices'), 'int64');
    const { depth, onValue, offValue, dtype = 'int32' } = attributes;
    const shape = [...indices.shape, depth];
    const wide = trace.reshape(indices, [...indices.shape, 1]);
    const matches = trace.emit('Equal', [wide, countTo(trace, depth)], { type: 'bool', shape });
    if (dtype === 'bool' && onValue && !offValue) return matches;
    const type = dtype === 'bool' ? 'int32' : dtype;
    const [on, off] = [onValue, offValue].map((value) => trace.constant(type, [], [Number(value)]));
    return castTo(trace, trace.emit('Where', [matches, on, off], { type, shape }), dtype);
  },
);

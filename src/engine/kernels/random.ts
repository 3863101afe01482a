import { type ElementType, onHost } from '../graph.js';
import type { Trace, Traced } from '../trace.js';
import { castTo } from './elementwise.js';
import { mapKernel } from './register.js';

/**
 * Bits of a counter-based generator, the same on every device: word i is mix(i * weyl + key). The mixer is
 * "lowbias32" (C. Wellons, hash-prospector, 2018).
 */
export const randomConstants = { weyl: 0x9e3779b1, multiply1: 0x7feb352d, multiply2: 0x846ca68b } as const;

function mix(trace: Trace, word: Traced): Traced {
  const int = { type: 'int32', shape: word.shape } as const;
  const constant = (type: ElementType, value: number) => trace.constant(type, [], [value]);
  // Shifts want uint32, products int32; both wrap alike.
  const foldDown = (value: Traced, bits: number) => {
    const unsigned = castTo(trace, value, 'uint32');
    const shifted = trace.emit('BitShift', [unsigned, constant('uint32', bits)], unsigned, {
      direction: 'RIGHT',
    });
    return trace.emit('BitwiseXor', [value, castTo(trace, shifted, 'int32')], int);
  };
  let x = foldDown(word, 16);
  x = trace.emit('Mul', [x, constant('int32', randomConstants.multiply1 | 0)], int);
  x = foldDown(x, 15);
  x = trace.emit('Mul', [x, constant('int32', randomConstants.multiply2 | 0)], int);
  return foldDown(x, 16);
}

/** 1 where a 16-bit lane is at least the threshold, 0 elsewhere; see `ops/dropout.ts`. */
mapKernel<{ shape: number[]; stream: number; threshold: number; scale: number }>(
  'PolybeamKeepMask',
  ({ trace, input, attributes }) => {
    const { shape, stream, threshold, scale } = attributes;
    const first = trace.graph.nodes.length;
    const int = (size: readonly number[]) => ({ type: 'int32', shape: size }) as const;
    const constant = (value: number) => trace.constant('int32', [], [value]);
    const site = trace.emit(
      'BitwiseXor',
      [input('seed'), constant(Math.imul(stream + 1, 0x85ebca6b))],
      int([]),
    );
    const key = mix(trace, site);
    const total = shape.reduce((product, size) => product * size, 1);
    // Two lanes a word: half as many words as elements, rounded up. The stand-in of a size that is not a plain
    // number has no exact half, so the size of the word list is left to the graph.
    const words = wordRange(trace, total);
    const spread = trace.emit('Mul', [words, constant(randomConstants.weyl | 0)], int(words.shape));
    const bits = mix(trace, trace.emit('Add', [spread, key], int(words.shape)));
    const unsigned = castTo(trace, bits, 'uint32');
    const low = trace.emit('BitwiseAnd', [bits, constant(0xffff)], int(words.shape));
    const sixteen = trace.constant('uint32', [], [16]);
    const shifted = trace.emit('BitShift', [unsigned, sixteen], unsigned, { direction: 'RIGHT' });
    const high = castTo(trace, shifted, 'int32');
    const lanes = trace.emit('Concat', [low, high], int([total]), { axis: 0 });
    const ends = trace.size(total);
    const exact = trace.emit('Slice', [lanes, trace.ints([0]), ends], int([total]));
    const keep = trace.emit('GreaterOrEqual', [exact, constant(threshold)], { type: 'bool', shape: [total] });
    const scaled = trace.emit(
      'Where',
      [keep, trace.constant('float32', [], [scale]), trace.constant('float32', [], [0])],
      {
        type: 'float32',
        shape: [total],
      },
    );
    const mask = trace.emit('Reshape', [scaled, trace.shape(shape)], { type: 'float32', shape });
    const values = trace.graph.nodes.slice(first).flatMap((node) => node.outputs);
    const region = { name: onHost, inputs: [], outputs: [mask.name], values, attributes: {} };
    trace.graph.regions.push(region);
    return mask;
  },
);

function wordRange(trace: Trace, total: number): Traced {
  const one = { type: 'int64', shape: [1] } as const;
  const plusOne = trace.emit('Add', [trace.size(total), trace.ints([1])], one);
  const half = trace.emit('Div', [plusOne, trace.ints([2])], one);
  const bound = castTo(trace, trace.emit('Squeeze', [half], { type: 'int64', shape: [] }), 'int32');
  const zero = trace.constant('int32', [], [0]);
  return trace.emit('Range', [zero, bound, trace.constant('int32', [], [1])], {
    type: 'int32',
    shape: [total],
  });
}

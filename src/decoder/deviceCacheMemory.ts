import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../engine/compile.js';
import {
  type CompileOptions,
  type Program,
  runKeeping,
  type Signature,
  type Tensors,
  type TracedFunction,
} from '../engine/program.js';
import { createPrograms } from '../engine/programs.js';
import { type AnyValue, type DeviceValue, integers, type Value } from '../engine/values.js';
import type { CacheMemory, CacheShape, KeptValues } from './cacheMemory.js';

/**
 * Caches in the memory of a device, moved by small programs there: one run for all caches, which reads and writes each
 * once. The host sends row numbers.
 */
export function deviceCacheMemory({ device, threads }: CompileOptions): CacheMemory {
  const programs = createPrograms();
  /** Compiles a function once for each set of values; every output stays on the device. */
  const programFor = (what: string, names: readonly string[], make: () => Moving) =>
    programs.get(`${what} ${names.join()}`, () => {
      const { fn, signature, outputs } = make();
      return compile(fn, signature, { device, threads, keep: outputs });
    });
  const select = async (values: KeptValues, rows: Int32Array): Promise<KeptValues> => {
    const names = Object.keys(values);
    // A language model has no memory of a source.
    if (names.length === 0) return values;
    const program = await programFor('select', names, () => selecting(values));
    return replaceAll(program, values, { rows: integers([rows.length], rows) });
  };
  return {
    zeros: async (names, shape) => {
      const key = `${names.join()} ${shape.heads} ${shape.size}`;
      const program = await programFor('zeros', [key], () => makingZeros(names, shape));
      return runKeeping(program, {
        rows: integers([shape.rows]),
        positions: integers([shape.capacity]),
      });
    },
    place: async (value) => {
      const { type, shape } = value as Value;
      const program = await programFor('place', [type, String(shape.length)], () =>
        placing(type, shape.length),
      );
      return (await runKeeping(program, { value })).placed;
    },
    spread: (caches, beams) =>
      select(
        caches,
        Int32Array.from({ length: rowsOf(caches) * beams }, (_, row) => Math.floor(row / beams)),
      ),
    grow: async (caches, capacity) => {
      const names = Object.keys(caches);
      const program = await programFor('grow', names, () => growing(caches));
      const [, , before] = shapeOf(caches[names[0]]);
      return replaceAll(program, caches, { more: integers([capacity - before]) });
    },
    keep: (values, groups, rowsPerGroup) =>
      select(
        values,
        Int32Array.from(
          { length: groups.length * rowsPerGroup },
          (_, row) => groups[Math.floor(row / rowsPerGroup)] * rowsPerGroup + (row % rowsPerGroup),
        ),
      ),
    release: programs.release,
  };
}

/** A program that moves values. */
interface Moving {
  fn: TracedFunction;
  signature: Signature;
  outputs: string[];
}

const shapeOf = (value: AnyValue): readonly number[] => (value as DeviceValue).content!.shape;
const rowsOf = (caches: KeptValues): number => shapeOf(Object.values(caches)[0])[0];
/** `key.0` -> `next.key.0` */
const nextOf = (name: string): string => `next.${name}`;

/** Runs a program that makes `next.NAME` of each NAME, in place. */
async function replaceAll(program: Program, values: KeptValues, feeds: KeptValues): Promise<KeptValues> {
  const into = Object.fromEntries(Object.entries(values).map(([name, value]) => [nextOf(name), value]));
  await program.run({ ...values, ...feeds }, into);
  return values;
}

/** Rows and lengths are equal in all values, and may differ from run to run. */
function moving(
  values: KeptValues,
  more: Signature,
  change: (x: tf.Tensor, inputs: Tensors) => tf.Tensor,
): Moving {
  const names = Object.keys(values);
  const signature: Signature = { ...more };
  for (const name of names) {
    const { type, shape } = (values[name] as DeviceValue).content!;
    // [rows, heads, length, size], or [rows, length]
    const lengthAxis = shape.length === 4 ? 2 : 1;
    const sizes = shape.map((size, axis) => (axis === 0 ? 'from' : axis === lengthAxis ? 'length' : size));
    // Caches have tfjs's types.
    signature[name] = { type: type as Signature[string]['type'], shape: sizes };
  }
  const fn = (inputs: Tensors) =>
    Object.fromEntries(names.map((name) => [nextOf(name), change(inputs[name], inputs)]));
  return { fn, signature, outputs: names.map(nextOf) };
}

function selecting(values: KeptValues): Moving {
  const rows = { type: 'int32', shape: ['to'] } as const;
  return moving(values, { rows }, (x, inputs) => tf.gather(x, inputs.rows as tf.Tensor1D));
}

function growing(caches: KeptValues): Moving {
  const more = { type: 'int32', shape: ['more'] } as const;
  return moving(caches, { more }, (x, inputs) => {
    const [rows, heads, , size] = x.shape as [number, number, number, number];
    return tf.concat([x, tf.fill([rows, heads, inputs.more.size, size], 0)], 2);
  });
}

function makingZeros(names: readonly string[], { heads, size }: CacheShape): Moving {
  const signature: Signature = {
    rows: { type: 'int32', shape: ['rows'] },
    positions: { type: 'int32', shape: ['capacity'] },
  };
  const fn = ({ rows, positions }: Tensors) =>
    Object.fromEntries(names.map((name) => [name, tf.fill([rows.size, heads, positions.size, size], 0)]));
  return { fn, signature, outputs: [...names] };
}

/** A copy of a value of any size, since inputs are not kept. */
function placing(type: Value['type'], rank: number): Moving {
  const kind = type as 'int32' | 'float32';
  return {
    fn: ({ value }) => ({ placed: tf.add(value, tf.scalar(0, kind)) }),
    signature: { value: { type: kind, shape: Array.from({ length: rank }, (_, axis) => `size${axis}`) } },
    outputs: ['placed'],
  };
}

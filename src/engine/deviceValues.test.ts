import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webgpuUnavailable } from '../../test/support/engine/webgpu.js';
import { compile } from './compile.js';
import { deviceTraffic, disposeValue, emptyDeviceValue } from './deviceValues.js';
import { type Device, type Program, runKeeping, type TracedFunction } from './program.js';
import { type DeviceValue, floats } from './values.js';

const reason = await webgpuUnavailable();

/** A running sum that stays, and what the host wants to know of it. */
const add: TracedFunction = ({ sum, x }) => {
  const next = tf.add(sum, x);
  return { next, largest: tf.max(next) };
};
const signature = {
  sum: { type: 'float32', shape: ['length'] },
  x: { type: 'float32', shape: ['length'] },
} as const;

describe.each(['tfjs:cpu', 'webgpu'] as Device[])('values on %s', (device) => {
  const skip = device === 'webgpu' && reason !== undefined;
  let program: Program;
  const values = () => deviceTraffic().values;
  const list = (...numbers: number[]) => floats([numbers.length], Float32Array.from(numbers));

  beforeAll(async () => {
    if (!skip) program = await compile(add, signature, { device, keep: ['next'] });
  });
  afterAll(() => program?.dispose());

  it.skipIf(skip)('are written in place, run after run, and only the rest comes to the host', async () => {
    const [before, traffic] = [values(), deviceTraffic()];
    const sum = emptyDeviceValue(device);
    const outputs = await program.run({ sum: list(1, 2), x: list(10, 20) }, { next: sum });
    expect(Object.keys(outputs)).toEqual(['largest']);
    expect(sum.content).toMatchObject({ type: 'float32', shape: [2] });
    const { largest } = await program.run({ sum, x: list(5, 100) }, { next: sum });
    expect(Array.from(largest.data)).toEqual([122]);
    expect(values()).toBe(before + 1);
    expect(deviceTraffic()).toMatchObject({ sent: traffic.sent + 24, received: traffic.received + 8 });
    disposeValue(sum);
    disposeValue(sum);
    expect([sum.content, values()]).toEqual([undefined, before]);
  });

  it.skipIf(skip)('are dropped where nobody takes them, and handed out by runKeeping', async () => {
    const before = values();
    await program.run({ sum: list(1), x: list(2) });
    expect(values()).toBe(before);
    const { next, largest } = await runKeeping(program, { sum: list(1), x: list(2) });
    expect(largest).toMatchObject({ data: Float32Array.of(3) });
    expect(values()).toBe(before + 1);
    disposeValue(next);
    expect(values()).toBe(before);
  });

  it.skipIf(skip)('are refused where they are empty, on another device, or of another size', async () => {
    const before = values();
    const sum = emptyDeviceValue(device);
    const feeds = { sum: list(1, 2), x: list(1, 2) };
    const refused = (part: string) => ({ code: 'FEED_INVALID', message: expect.stringContaining(part) });
    await expect(program.run({ ...feeds, sum })).rejects.toMatchObject(
      refused(`an empty value on ${device}`),
    );
    const elsewhere: DeviceValue = { device: 'abacus' };
    await expect(program.run({ ...feeds, sum: elsewhere })).rejects.toMatchObject(refused('is on abacus'));
    await expect(program.run(feeds, { next: elsewhere })).rejects.toMatchObject(refused('is on abacus'));
    await expect(program.run(feeds, { next: list(0, 0) })).rejects.toMatchObject(
      refused(`stays on ${device}`),
    );
    await expect(program.run(feeds, { largest: sum })).rejects.toMatchObject(refused('an empty value'));
    await program.run(feeds, { next: sum });
    await expect(program.run({ sum, x: list(1) })).rejects.toMatchObject(refused('"length" is 2'));
    disposeValue(sum);
    expect(values()).toBe(before);
  });

  it.skipIf(skip)('keep their content where a run fails', async () => {
    const sum = emptyDeviceValue(device);
    await program.run({ sum: list(1, 2), x: list(1, 2) }, { next: sum });
    const content = sum.content;
    await expect(program.run({ sum, x: list(1, 2, 3) }, { next: sum })).rejects.toThrow();
    expect(sum.content).toBe(content);
    const { largest } = await program.run({ sum, x: list(0, 0) });
    expect(largest.data[0]).toBe(4);
    disposeValue(sum);
  });
});

it('stay on the host where the host computes', async () => {
  const program = await compile(add, signature, { keep: ['next'] });
  expect([program.device, program.resident]).toEqual(['cpu', []]);
  const before = deviceTraffic();
  const { next } = await program.run({ sum: floats([1]), x: floats([1]) });
  expect(next.data).toHaveLength(1);
  expect(deviceTraffic()).toEqual(before);
  await program.dispose();
});

it('are outputs: another name is refused', async () => {
  for (const device of ['cpu', 'tfjs:cpu'] as const) {
    await expect(compile(add, signature, { device, keep: ['sum'] })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: 'Option keep names "sum", which is no output; the program has next, largest.',
    });
  }
});

it('a function that returns what it was given keeps a tensor of its own', async () => {
  const program = await compile(
    ({ x }) => ({ same: x, twice: x }),
    { x: { type: 'float32', shape: ['length'] } },
    { device: 'tfjs:cpu', keep: ['same', 'twice'] },
  );
  const first = await runKeeping(program, { x: floats([1], Float32Array.of(7)) });
  const second = await runKeeping(program, { x: first.same });
  disposeValue(first.same);
  disposeValue(first.twice);
  const read = await compile(
    ({ x }) => ({ y: tf.neg(x) }),
    { x: { type: 'float32', shape: [1] } },
    {
      device: 'tfjs:cpu',
    },
  );
  const { y } = await read.run({ x: second.twice });
  expect(Array.from(y.data)).toEqual([-7]);
  disposeValue(second.same);
  disposeValue(second.twice);
});

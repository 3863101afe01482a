import type { InferenceSession, Tensor } from 'onnxruntime-common';
import * as ort from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import type { OnnxRuntime } from './runtime.js';
import { webRuntime } from './webRuntime.js';

/** A runtime that refuses to do two things at the same time, as onnxruntime-web does. `fail` is a feed. */
function fakeRuntime(output: () => Tensor): OnnxRuntime & { log: string[] } {
  const log: string[] = [];
  let busy = false;
  const alone = async <T>(name: string, work: () => T): Promise<T> => {
    if (busy) throw new Error('Session already started');
    busy = true;
    await new Promise((resolve) => setTimeout(resolve, 5));
    busy = false;
    log.push(name);
    return work();
  };
  const session = {
    inputNames: ['x'],
    outputNames: ['y'],
    run: (feeds: Record<string, Tensor>) =>
      alone('run', () => {
        if (feeds.fail) throw new Error('no');
        return { y: output() };
      }),
    release: () => alone('release', () => {}),
  } as unknown as InferenceSession;
  return {
    log,
    Tensor: ort.Tensor,
    InferenceSession: { create: () => alone('create', () => session) },
  };
}

const floats = (...values: number[]) => new ort.Tensor('float32', Float32Array.from(values), [values.length]);

describe('webRuntime', () => {
  it('does one thing after the other, and goes on after a failure', async () => {
    const fake = fakeRuntime(() => floats(1));
    const { InferenceSession } = webRuntime(fake);
    const [one, two] = await Promise.all([
      InferenceSession.create(new Uint8Array()),
      InferenceSession.create(new Uint8Array()),
    ]);
    const done = await Promise.allSettled([
      one.run({}),
      two.run({ fail: floats(1) }),
      one.run({}),
      two.release(),
      one.run({}),
    ]);
    expect(done.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(fake.log).toEqual(['create', 'create', 'run', 'run', 'run', 'release', 'run']);
  });

  it('copies an output into the array that is given for it, and returns others as they are', async () => {
    const { InferenceSession } = webRuntime(fakeRuntime(() => floats(3, 4)));
    const session = await InferenceSession.create(new Uint8Array());
    const given = floats(0, 0);
    expect((await session.run({}, { y: given })).y).toBe(given);
    expect([...(given.data as Float32Array)]).toEqual([3, 4]);
    const { y } = (await session.run({}, { y: null } as never)) as { y: Tensor };
    expect([...(y.data as Float32Array)]).toEqual([3, 4]);
  });

  it('leaves an output on a GPU where it is', async () => {
    const buffer = { destroy: () => {} } as never;
    const resident = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [2] });
    const { InferenceSession } = webRuntime(fakeRuntime(() => resident as Tensor));
    const session = await InferenceSession.create(new Uint8Array());
    expect((await session.run({})).y).toBe(resident);
  });
});

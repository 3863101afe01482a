import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import '../../test/support/engine/runtime.js';
import { compile } from './compile.js';
import type { Device, Program } from './program.js';
import { createPrograms, guarded } from './programs.js';
import { floats } from './values.js';

const doubling = (device: Device) =>
  compile(({ x }) => ({ y: tf.add(x, x) }), { x: { type: 'float32', shape: ['n'] } }, { device });
const feeds = { x: floats([2], Float32Array.of(3, 4)) };
const gone = { code: 'MODEL_DISPOSED' };

describe.each(['cpu', 'tfjs:cpu'] as const)('a program on %s', (device) => {
  it('is freed after the run that is going on, once, and runs no more', async () => {
    const program = await doubling(device);
    const running = program.run(feeds);
    await Promise.all([program.dispose(), program.dispose()]);
    expect([...(await running).y.data]).toEqual([6, 8]);
    await expect(program.run(feeds)).rejects.toMatchObject(gone);
    await program.dispose();
  });
});

/** A program whose runs and end are told of. */
function fakeProgram(log: string[]): Program {
  return guarded({
    device: 'cpu',
    resident: [],
    inputs: [],
    outputs: [],
    parameters: [],
    run: async () => {
      log.push('run');
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push('ran');
      return {};
    },
    dispose: async () => void log.push('disposed'),
  });
}

describe('createPrograms', () => {
  it('compiles each once, and again where that failed', async () => {
    const { get, release } = createPrograms();
    const log: string[] = [];
    let tries = 0;
    const make = async () => {
      if (++tries === 1) throw new Error('no');
      return fakeProgram(log);
    };
    await expect(get('a', make)).rejects.toThrow('no');
    expect(await get('a', make)).toBe(await get('a', make));
    expect(tries).toBe(2);
    await release();
    expect(log).toEqual(['disposed']);
  });

  it('frees what runs, and what is being compiled, when it is ready; then compiles nothing', async () => {
    const { get, release } = createPrograms();
    const log: string[] = [];
    const program = await get('running', async () => fakeProgram(log));
    const runs = [program.run({}), program.run({})];
    let ready = (_: Program) => {};
    const compiling = get('compiling', () => new Promise((resolve) => (ready = resolve)));
    const failing = get('failing', () => Promise.reject(new Error('no')));
    const released = [release(), release()];
    await expect(failing).rejects.toThrow('no');
    await Promise.all(runs);
    ready(fakeProgram(log));
    await Promise.all(released);
    expect(log).toEqual(['run', 'run', 'ran', 'ran', 'disposed', 'disposed']);
    await expect((await compiling).run({})).rejects.toMatchObject(gone);
    await expect(get('running', async () => fakeProgram(log))).rejects.toMatchObject(gone);
    await expect(get('another', async () => fakeProgram(log))).rejects.toMatchObject(gone);
    expect(log).toHaveLength(6);
  });
});

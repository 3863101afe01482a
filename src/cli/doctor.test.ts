import { expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { runProgram } from './program.js';

async function doctor(...flags: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(['doctor', ...flags], streams);
  return { code, out: streams.out(), err: streams.err() };
}

it('lists devices that work, and how to get those that do not', async () => {
  const { code, out, err } = await doctor('--json', '--no-speed');
  expect([code, err]).toEqual([0, '']);
  const { devices, ...machine } = JSON.parse(out);
  expect(machine).toMatchObject({ node: process.version, threads: expect.any(Number) });
  expect(devices[0]).toMatchObject({
    name: 'cpu',
    available: true,
    version: expect.stringMatching(/^onnxruntime \d/),
  });
  expect(devices[0]).not.toHaveProperty('speed');
  for (const device of devices) {
    expect(device.detail).not.toBe('');
    if (!device.available) expect(device.howToGet).toMatch(/\w/);
  }
});

it('prints the same for people, with speeds', async () => {
  const { code, out } = await doctor();
  expect(code).toBe(0);
  expect(out).toMatch(/^polybeam \d+\.\d+\.\d+, Node v/);
  expect(out).toMatch(
    /\ncpu: available\n {2}onnxruntime .*\n {2}speed: [\d.e+]+ GFLOP\/s in products of (\d+) x \1/,
  );
  for (const missing of out.split('\n\n').filter((part) => part.includes(': not available'))) {
    expect(missing).toContain('\n  to get it: ');
  }
});

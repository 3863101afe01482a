import { expect, it } from 'vitest';
import { summarizeProfile } from './operators.js';

const run = (ts: number, dur: number) => ({ cat: 'Session', name: 'model_run', ts, dur });
const node = (operator: string, ts: number, dur: number, weight?: number[]) => ({
  cat: 'Node',
  name: `${operator}_1_kernel_time`,
  ts,
  dur,
  args: { op_name: operator, input_type_shape: [{ float: [4, 2] }, ...(weight ? [{ float: weight }] : [])] },
});

it('sums a profile by operator, without the runs that warm up, products by their second matrix', () => {
  const events = [
    node('Relu', 10, 9000),
    node('MatMul', 20, 2000, [2, 8]),
    node('MatMul', 30, 1000, [2, 8]),
    node('MatMul', 35, 600, [8, 2]),
    node('Relu', 40, 400),
    node('Relu', 60, 600),
    // Written when a run ends, after its operators.
    run(5, 9500),
    run(18, 4500),
    run(50, 1500),
  ];
  expect(summarizeProfile(events, 1 / 3)).toEqual({
    runs: 2,
    ms: 3,
    operators: [
      { operator: 'MatMul 2x8', calls: 1, ms: 1.5 },
      { operator: 'Relu', calls: 1, ms: 0.5 },
      { operator: 'MatMul 8x2', calls: 0.5, ms: 0.3 },
    ],
  });
});

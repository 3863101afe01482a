import { describe, expect, it } from 'vitest';
import { createProgress, duration, type ProgressState } from './progress.js';

const state: ProgressState = {
  update: 1200,
  epoch: 3,
  loss: 3.21049,
  tokensPerSecond: 12_345,
  fraction: 0.25,
  secondsLeft: 754,
};

/** Runs `show` at the given milliseconds; returns everything written. */
function written(isTerminal: boolean, times: number[], columns = 200): string[] {
  const texts: string[] = [];
  let now = 0;
  const output = { write: (text: string) => void texts.push(text), isTerminal, columns };
  const progress = createProgress(output, () => now);
  for (const time of times) {
    now = time;
    progress.show(state);
  }
  progress.note('BLEU 31.5');
  progress.show({ ...state, update: 1201 });
  progress.finish();
  return texts;
}

describe('createProgress', () => {
  it('overwrites one line on a terminal, at most ten times a second', () => {
    expect(written(true, [0, 50, 99, 100])).toEqual([
      '\r█████░░░░░░░░░░░░░░░ 25%  update 1200  epoch 3  loss 3.210  12.3k tokens/s  13 min left\x1b[K',
      '\r█████░░░░░░░░░░░░░░░ 25%  update 1200  epoch 3  loss 3.210  12.3k tokens/s  13 min left\x1b[K',
      '\r\x1b[K',
      'BLEU 31.5\n',
    ]);
  });

  it('never wraps: a narrow terminal cuts the line', () => {
    expect(written(true, [0], 30)[0]).toBe('\r█████░░░░░░░░░░░░░░░ 25%  upd\x1b[K');
  });

  it('writes plain lines twice a minute elsewhere', () => {
    const line = '25%  update 1200  epoch 3  loss 3.210  12.3k tokens/s  13 min left\n';
    expect(written(false, [0, 100, 29_999, 30_000])).toEqual([line, line, 'BLEU 31.5\n']);
  });

  it('shows no bar where the end is not known', () => {
    const texts: string[] = [];
    const progress = createProgress({ write: (text) => void texts.push(text), isTerminal: true });
    progress.show({ update: 1, epoch: 1, loss: 9, tokensPerSecond: 90 });
    progress.finish();
    progress.finish();
    expect(texts).toEqual(['\rupdate 1  epoch 1  loss 9.000  90 tokens/s\x1b[K', '\n']);
  });
});

describe('duration', () => {
  it('is in the unit people would use', () => {
    expect([0.2, 59, 60, 3599, 3600, 12_000].map(duration)).toEqual([
      '1 s',
      '59 s',
      '1 min',
      '1 h 0 min',
      '1 h 0 min',
      '3 h 20 min',
    ]);
  });
});

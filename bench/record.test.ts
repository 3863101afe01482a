import { describe, expect, it } from 'vitest';
import { recordRun } from './record.js';
import { timedRow } from './rows.js';

const run = (bench: string, ms: number) => ({
  bench,
  command: `npm run --silent bench -- ${bench}`,
  notes: ['a machine', 'a note'],
  rows: [timedRow({ bench, case: 'one', times: [ms] })],
});

describe('recordRun', () => {
  it('makes a page with a section for each bench', () => {
    const page = recordRun(recordRun('', run('train', 5)), run('decode', 7));
    expect(page).toMatch(/^# Benchmarks\n\nTimes are/);
    expect(page.match(/^## .*/gm)).toEqual(['## decode', '## train']);
    expect(page).toContain('- a machine\n- a note\n\n```\nbench   case  ms\ndecode  one    7\n```');
    expect(page.endsWith('```\n')).toBe(true);
  });

  it('replaces the section of the same bench and leaves the others as they are', () => {
    const before = recordRun(recordRun('', run('train', 5)), run('decode', 7));
    const after = recordRun(before, run('decode', 6));
    expect(after).toBe(before.replace(/decode {2}one {4}7/, 'decode  one    6'));
    expect(recordRun(after, run('decode', 6))).toBe(after);
  });
});

import { describe, expect, it } from 'vitest';
import { formatTable, median, memoryRow, timedRow } from './rows.js';

const peer = { name: 'ctranslate2 float32', times: [20.39, 25, 20.1] };

describe('rows', () => {
  it('are the medians and their ratio, peer above polybeam', () => {
    const { row } = timedRow({
      bench: 'decode',
      case: 'float32 batch 1 beam 4',
      times: [7.1, 9, 7.05],
      peer,
    });
    expect(JSON.stringify(row)).toBe(
      '{"bench":"decode","case":"float32 batch 1 beam 4","ms":7.1,"peer":"ctranslate2 float32","peerMs":20.39,"ratio":2.87}',
    );
  });

  it('have no fields of a peer where none ran', () => {
    const { row } = timedRow({ bench: 'train', case: 'a', times: [345.678] });
    expect(JSON.stringify(row)).toBe('{"bench":"train","case":"a","ms":345.7}');
  });

  it('take the ratio before rounding', () => {
    const { row } = timedRow({ bench: 'b', case: 'c', times: [0.014], peer: { name: 'p', times: [0.026] } });
    expect(row).toMatchObject({ ms: 0.01, peerMs: 0.03, ratio: 1.86 });
  });

  it('give memory in MiB', () => {
    expect(memoryRow('load', 'peak memory', 3 * 2 ** 20).row).toEqual({
      bench: 'load',
      case: 'peak memory',
      mb: 3,
    });
  });

  it('take the mean of the two middle values of an even number', () => {
    expect(median([4, 1, 3, 100])).toBe(3.5);
  });
});

describe('formatTable', () => {
  it('aligns, shows the spread, and leaves out columns that nobody fills', () => {
    const rows = [
      timedRow({ bench: 'decode', case: 'batch 1', times: [7.1, 9, 7.05], peer }),
      memoryRow('decode', 'peak memory', 2 ** 20),
    ];
    expect(formatTable(rows)).toBe(
      [
        'bench   case          ms  min-max  peer                    ms  min-max  ratio  MiB',
        'decode  batch 1      7.1   7.05-9  ctranslate2 float32  20.39  20.1-25   2.87',
        'decode  peak memory                                                              1',
        '',
      ].join('\n'),
    );
  });
});

import * as Plot from '@observablehq/plot';
import { plotColor, svgPlot } from '../../eval/report/svgPlot.js';
import type { ComparedRow } from './benchmarkRows.js';

/** Rows of the README's table and plot: what a user would choose between. */
const shown: readonly { label: string; bench: string; case: string; peers: readonly string[] }[] = [
  {
    label: 'one sentence, beam 4, int8',
    bench: 'decode',
    case: 'int8 batch 1 beam 4',
    peers: ['ctranslate2 int8'],
  },
  {
    label: 'one sentence, beam 4, float32',
    bench: 'decode',
    case: 'float32 batch 1 beam 4',
    peers: ['ctranslate2 float32', 'transformers float32'],
  },
  {
    label: '16 sentences, beam 4, int8',
    bench: 'decode',
    case: 'int8 batch 16 beam 4',
    peers: ['ctranslate2 int8'],
  },
  {
    label: '16 sentences, beam 4, float32',
    bench: 'decode',
    case: 'float32 batch 16 beam 4',
    peers: ['ctranslate2 float32', 'transformers float32'],
  },
  {
    label: 'training, a whole update',
    bench: 'train',
    case: 'float32 forward, backward, clipping and AdamW',
    peers: ['pytorch eager float32'],
  },
  {
    label: 'model file to first token',
    bench: 'load',
    case: 'float32 until the first token',
    peers: ['ctranslate2 float32', 'transformers float32'],
  },
];

interface ShownRow extends ComparedRow {
  label: string;
  /** CTranslate2, transformers or PyTorch. */
  program: string;
}

const programs: Record<string, string> = {
  ctranslate2: 'CTranslate2',
  transformers: 'transformers',
  pytorch: 'PyTorch',
};

function shownRows(rows: readonly ComparedRow[]): ShownRow[] {
  return shown.flatMap(({ label, bench, case: name, peers }) =>
    peers.map((peer) => {
      const row = rows.find((each) => each.bench === bench && each.case === name && each.peer === peer);
      if (!row) throw new Error(`docs/benchmarks.md has no row "${bench} ${name}" beside ${peer}.`);
      return { ...row, label, program: programs[peer.split(' ')[0]] };
    }),
  );
}

/** The README's table of times, in Markdown. */
export function speedTable(rows: readonly ComparedRow[]): string {
  const lines = shownRows(rows).map(
    ({ label, ms, peerMs, program, ratio }) => `| ${label} | ${ms} | ${program}: ${peerMs} | ${ratio} |`,
  );
  return ['| | polybeam, ms | ms | times as fast |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

/** The same ratios as a plot: a dot for each program, on a line at 1 both are equally fast. */
export function speedPlot(rows: readonly ComparedRow[]): string {
  const dots = shownRows(rows);
  const names = [...new Set(dots.map(({ program }) => program))];
  const color = (program: string) => plotColor(names.indexOf(program), true);
  return svgPlot(
    {
      width: 680,
      height: 40 * shown.length + 60,
      marginLeft: 220,
      x: {
        type: 'log',
        grid: true,
        label: 'times as fast as the other program',
        tickFormat: '~f',
        ticks: [0.25, 0.5, 1, 2, 4, 8],
      },
      y: { label: null, domain: shown.map(({ label }) => label) },
      color: { type: 'identity' },
      marks: [
        Plot.ruleX([1], { stroke: '#64748b' }),
        Plot.dot(dots, { x: 'ratio', y: 'label', fill: ({ program }: ShownRow) => color(program), r: 6 }),
        Plot.text(dots, { x: 'ratio', y: 'label', text: ({ ratio }: ShownRow) => `${ratio}`, dy: -12 }),
      ],
    },
    {
      title: 'Speed of polybeam beside CTranslate2, transformers and PyTorch',
      legend: names.map((label) => ({ label, color: color(label) })),
      standalone: true,
    },
  );
}

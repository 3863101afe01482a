/** Times of one case on polybeam and, where a peer ran it too, on the peer; milliseconds, one a round. */
export interface TimedCase {
  bench: string;
  case: string;
  times: readonly number[];
  peer?: { name: string; times: readonly number[] };
}

/** One line of the output. Fields of the peer are absent where none ran. */
export interface Row {
  bench: string;
  case: string;
  /** Median of the rounds. */
  ms?: number;
  peer?: string;
  peerMs?: number;
  /** Peer's median divided by polybeam's: above 1 polybeam is faster. */
  ratio?: number;
  /** Memory, in MiB, for the rows about memory. */
  mb?: number;
  /** ONNX operator, its calls and its share of the time, for the rows of `--operators`. */
  operator?: string;
  calls?: number;
  share?: number;
}

/** A row and the spread of its times, which only the table shows. */
export interface ReportedRow {
  row: Row;
  times?: readonly number[];
  peerTimes?: readonly number[];
}

/** Where a bench writes: rows are results, notes are about them. */
export interface Report {
  row(row: ReportedRow): void;
  note(text: string): void;
}

/** The middle of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Rounds to 0.1 from 100, to 0.01 below. */
export function rounded(value: number): number {
  const digits = Math.abs(value) >= 100 ? 1 : 2;
  return Number(value.toFixed(digits));
}

/** The row of a case: medians, and the ratio of the medians before rounding. */
export function timedRow({ bench, case: name, times, peer }: TimedCase): ReportedRow {
  const ms = median(times);
  const row: Row = { bench, case: name, ms: rounded(ms) };
  if (!peer) return { row, times };
  const peerMs = median(peer.times);
  Object.assign(row, { peer: peer.name, peerMs: rounded(peerMs), ratio: rounded(peerMs / ms) });
  return { row, times, peerTimes: peer.times };
}

/** A row about memory, from bytes. */
export function memoryRow(bench: string, name: string, bytes: number): ReportedRow {
  return { row: { bench, case: name, mb: rounded(bytes / 2 ** 20) } };
}

/** The columns that the rows have anything in, aligned: text left, numbers right. */
export function formatTable(reported: readonly ReportedRow[]): string {
  const columns = tableColumns.filter(({ cell }) => reported.some((row) => cell(row) !== ''));
  const lines = [
    columns.map(({ title }) => title),
    ...reported.map((row) => columns.map(({ cell }) => cell(row))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index].length)));
  const align = (text: string, index: number) =>
    columns[index].right ? text.padStart(widths[index]) : text.padEnd(widths[index]);
  return lines.map((line) => `${line.map(align).join('  ').trimEnd()}\n`).join('');
}

const number = (value: number | undefined) => (value === undefined ? '' : String(value));

function spread(times: readonly number[] | undefined): string {
  if (!times || times.length < 2) return '';
  return `${rounded(Math.min(...times))}-${rounded(Math.max(...times))}`;
}

const tableColumns: { title: string; right?: boolean; cell: (reported: ReportedRow) => string }[] = [
  { title: 'bench', cell: ({ row }) => row.bench },
  { title: 'case', cell: ({ row }) => row.case },
  { title: 'operator', cell: ({ row }) => row.operator ?? '' },
  { title: 'calls', right: true, cell: ({ row }) => number(row.calls) },
  { title: 'ms', right: true, cell: ({ row }) => number(row.ms) },
  { title: 'min-max', right: true, cell: ({ times }) => spread(times) },
  { title: 'peer', cell: ({ row }) => row.peer ?? '' },
  { title: 'ms', right: true, cell: ({ row }) => number(row.peerMs) },
  { title: 'min-max', right: true, cell: ({ peerTimes }) => spread(peerTimes) },
  { title: 'ratio', right: true, cell: ({ row }) => number(row.ratio) },
  {
    title: 'share',
    right: true,
    cell: ({ row }) => (row.share === undefined ? '' : `${(100 * row.share).toFixed(1)} %`),
  },
  { title: 'MiB', right: true, cell: ({ row }) => number(row.mb) },
];

/** A row of docs/benchmarks.md that compares polybeam with another program. */
export interface ComparedRow {
  bench: string;
  /** What was run, such as precision, batch and beam of `decode`. */
  case: string;
  /** Milliseconds of polybeam, the median of the rounds. */
  ms: number;
  /** The other program and its precision. */
  peer: string;
  peerMs: number;
  /** `peerMs / ms`: above 1 polybeam is faster. */
  ratio: number;
}

/** Reads the rows that have a peer from the tables that `npm run bench -- BENCH --record FILE` wrote. */
export function readComparedRows(page: string): ComparedRow[] {
  const rows: ComparedRow[] = [];
  for (const line of page.split('\n')) {
    // Two spaces at least part the columns: bench, case, ms, range, peer, ms, range, ratio.
    const [bench, name, ms, , peer, peerMs, , ratio] = line.trim().split(/ {2,}/);
    if (!(Number(ratio) > 0 && Number(ms) > 0 && Number(peerMs) > 0)) continue;
    rows.push({ bench, case: name, ms: Number(ms), peer, peerMs: Number(peerMs), ratio: Number(ratio) });
  }
  return rows;
}

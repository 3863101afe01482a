import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Report, rounded } from './rows.js';

/** Prefix of the profiles in a bench's temporary directory. */
export const profilePrefix = 'profile';

/** An event of ONNX Runtime's profile; times in microseconds. */
interface ProfileEvent {
  cat: string;
  name: string;
  ts: number;
  dur: number;
  args?: {
    op_name?: string;
    /** One entry an input, such as `{ float: [4, 512] }`. */
    input_type_shape?: Record<string, number[]>[];
  };
}

/** Time of one kind of operator in one program. */
export interface OperatorTime {
  operator: string;
  /** Calls in one run of the program. */
  calls: number;
  /** Milliseconds in one run of the program. */
  ms: number;
}

/** Where one program spends its time. */
export interface ProgramTimes {
  /** Runs of the program that are counted. */
  runs: number;
  /** Milliseconds of a run inside ONNX Runtime; operators and what lies between them. */
  ms: number;
  /** Dearest first. */
  operators: OperatorTime[];
}

/**
 * Sums a profile by operator.
 * @param skipped part of the runs, from the first, that are left out as warm-up
 */
export function summarizeProfile(events: readonly ProfileEvent[], skipped: number): ProgramTimes {
  const inOrder = events.filter(({ name }) => name === 'model_run').sort((a, b) => a.ts - b.ts);
  const counted = inOrder.slice(Math.floor(inOrder.length * skipped));
  const runs = counted.length;
  const start = counted[0]?.ts ?? Number.POSITIVE_INFINITY;
  const byOperator = new Map<string, OperatorTime>();
  for (const { cat, ts, dur, args } of events) {
    if (cat !== 'Node' || ts < start || !args?.op_name) continue;
    const operator = labelOf(args.op_name, args.input_type_shape);
    const entry = byOperator.get(operator) ?? { operator, calls: 0, ms: 0 };
    entry.calls += 1 / runs;
    entry.ms += dur / 1000 / runs;
    byOperator.set(operator, entry);
  }
  const ms = counted.reduce((sum, { dur }) => sum + dur, 0) / 1000 / runs;
  return { runs, ms, operators: [...byOperator.values()].sort((a, b) => b.ms - a.ms) };
}

/** Products are told apart by their second matrix, which is most often a weight. */
function labelOf(name: string, inputs: Record<string, number[]>[] = []): string {
  const shape = Object.values(inputs[1] ?? {})[0];
  const isProduct = name.endsWith('MatMul') || name === 'Gemm';
  return isProduct && shape?.length === 2 ? `${name} ${shape.join('x')}` : name;
}

/**
 * Prints where time goes in the programs that were profiled in a directory, one row an operator; times are for one
 * run of the program, shares those of all its operators together.
 */
export function reportOperators(
  report: Report,
  {
    bench,
    case: name,
    directory,
    skipped,
  }: { bench: string; case: string; directory: string; skipped: number },
): void {
  for (const file of readdirSync(directory).filter((entry) => entry.startsWith(profilePrefix))) {
    const events = JSON.parse(readFileSync(join(directory, file), 'utf8')) as ProfileEvent[];
    const { runs, ms, operators } = summarizeProfile(events, skipped);
    if (runs === 0) continue;
    const total = operators.reduce((sum, operator) => sum + operator.ms, 0);
    const program = `${name}, program run ${runs} times`;
    report.note(`${program}: ${rounded(ms)} ms a run, ${rounded(total)} of them in operators`);
    for (const operator of operators) {
      report.row({
        row: {
          bench,
          case: program,
          operator: operator.operator,
          calls: rounded(operator.calls),
          ms: rounded(operator.ms),
          share: Number((operator.ms / total).toFixed(4)),
        },
      });
    }
  }
}

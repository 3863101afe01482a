import { PolybeamError } from '../errors.js';
import type { Dimension } from './graph.js';

/**
 * A trace has no data, only sizes. A large prime represents a named dimension, so the factors of any size in the
 * trace show which dimensions it came from: [batch * length, 512] is recognized by its first number. The primes are
 * far from each other and from usual vocabulary sizes, so that `length + 1`, `2 * length - 1` and `source + target`
 * are recognized as well. A wrong guess differs between two traces with different primes, and
 * `traceFunction` compares two.
 */
const primes = [
  24247, 18671, 21563, 29483, 25463, 28403, 28813, 19381, 19087, 17713, 23131, 19739, 27487, 27893, 20143,
  21911, 23581, 17389, 26497, 20717, 22409, 17093, 26833, 26053, 22859, 24859, 18341, 29201, 21269, 27107,
];

/** A factor of a size that depends on named dimensions: one dimension, or a sum of sizes and a number. */
export type SizeFactor = { name: string } | { terms: readonly SizeExpression[]; offset: number };

/** A size: a coefficient times factors; without factors a plain number. */
export interface SizeExpression {
  coefficient: number;
  factors: readonly SizeFactor[];
}

/** Offsets up to this from one dimension, or twice one, are recognized (a cache one longer than before, ...). */
const largestOffset = 64;
/** Offsets up to this from the sum of two dimensions are recognized. */
const largestOffsetOfSum = 2;
const smallestStandIn = Math.min(...primes) - largestOffset;

/** The named dimensions of one trace. */
export class Dimensions {
  private readonly primeOf = new Map<string, number>();
  /** The dimension of each prime, and of each sum found so far. */
  private readonly known = new Map<number, SizeFactor>();
  private readonly explained = new Map<number, SizeExpression>();

  /** @param attempt selects different primes for the same names */
  constructor(private readonly attempt = 0) {}

  /** The number that represents a dimension in the trace; `batch*beams` is the product of two. */
  standIn(size: Dimension): number {
    if (typeof size === 'number') return size;
    if (size.includes('*')) return size.split('*').reduce((product, name) => product * this.standIn(name), 1);
    const known = this.primeOf.get(size);
    if (known !== undefined) return known;
    if (this.primeOf.size === primes.length) {
      throw new PolybeamError(
        'TRACE_SHAPE',
        `A program can have ${primes.length} named dimensions, "${size}" is one more: name equal sizes alike.`,
      );
    }
    const prime = primes[(this.primeOf.size + this.attempt * 10) % primes.length];
    this.primeOf.set(size, prime);
    this.known.set(prime, { name: size });
    this.explained.clear();
    return prime;
  }

  /** Whether the size depends on named dimensions. */
  isSymbolic(value: number): boolean {
    return this.explain(value).factors.length > 0;
  }

  /** Whether the number is a multiple of a dimension's prime. */
  isMultiple(value: number): boolean {
    if (!Number.isInteger(value) || value === 0) return false;
    for (const prime of this.primeOf.values()) if (value % prime === 0) return true;
    return false;
  }

  /** Records that a size is the sum of others (as in a concatenation), so that it is recognized later. */
  defineSum(value: number, parts: readonly number[]): void {
    if (this.isSymbolic(value)) return;
    const terms = parts.map((part) => this.explain(part)).filter(({ factors }) => factors.length > 0);
    if (terms.length === 0) return;
    const offset = parts.filter((part) => !this.isSymbolic(part)).reduce((sum, part) => sum + part, 0);
    this.known.set(value, { terms, offset });
    this.explained.clear();
  }

  /** Factors a size. A number that no named dimension explains is a plain number. */
  explain(value: number): SizeExpression {
    const before = this.explained.get(value);
    if (before) return before;
    const result = this.takeApart(value);
    this.explained.set(value, result);
    return result;
  }

  /** The size as a signature writes it; products and sums become one readable name. */
  describe(value: number): Dimension {
    const expression = this.explain(value);
    return expression.factors.length === 0 ? value : describeExpression(expression);
  }

  private takeApart(value: number): SizeExpression {
    if (!Number.isInteger(value) || Math.abs(value) < smallestStandIn) {
      return { coefficient: value, factors: [] };
    }
    const factors: SizeFactor[] = [];
    let rest = value;
    for (const [number, factor] of this.known) {
      while (rest % number === 0) {
        factors.push(factor);
        rest /= number;
      }
    }
    const sum = rest < smallestStandIn ? undefined : this.guessSum(rest);
    if (!sum) return { coefficient: rest, factors };
    // Products with this sum are recognized from now on.
    this.known.set(rest, sum);
    return { coefficient: 1, factors: [...factors, sum] };
  }

  /** The number as a dimension, twice one or a sum of two, with a small offset. */
  private guessSum(value: number): SizeFactor | undefined {
    const named = [...this.primeOf.values()];
    const term = (prime: number, coefficient = 1): SizeExpression => ({
      coefficient,
      factors: [this.known.get(prime)!],
    });
    for (const prime of named) {
      for (const coefficient of [1, 2]) {
        const offset = value - coefficient * prime;
        if (Math.abs(offset) <= largestOffset) return { terms: [term(prime, coefficient)], offset };
      }
    }
    for (const [index, prime] of named.entries()) {
      for (const other of named.slice(index + 1)) {
        const offset = value - prime - other;
        if (Math.abs(offset) <= largestOffsetOfSum) return { terms: [term(prime), term(other)], offset };
      }
    }
    return undefined;
  }
}

/** In brackets if the sum is part of a product. */
function describeFactor(factor: SizeFactor, alone: boolean): string {
  if ('name' in factor) return factor.name;
  const written = factor.terms.map((term) => describeExpression(term));
  if (factor.offset !== 0) written.push(String(factor.offset));
  const sum = written.join('+').replace('+-', '-');
  return alone ? sum : `(${sum})`;
}

function describeExpression({ coefficient, factors }: SizeExpression): string {
  const alone = factors.length === 1 && coefficient === 1;
  const written = factors.map((factor) => describeFactor(factor, alone));
  return [...(coefficient === 1 ? [] : [String(coefficient)]), ...written].join('*');
}

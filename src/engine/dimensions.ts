import { PolybeamError } from '../errors.js';
import type { Dimension } from './graph.js';

/**
 * A trace has no data, only sizes. A named dimension stands in it as a large prime, so the factors of any size in the
 * trace say which dimensions it came from: [batch * length, 512] is found again from its first number.
 */
const primes = [
  20011, 20021, 20023, 20029, 20047, 20051, 20063, 20071, 20089, 20101, 20107, 20113, 20117, 20123, 20129,
  20143, 20147, 20149, 20161, 20173, 20177, 20183, 20201, 20219, 20231, 20233, 20249, 20261, 20269, 20287,
];

/** A size: coefficient times the product of named dimensions, plus an offset. */
export interface SizeExpression {
  coefficient: number;
  /** Names, one for each factor; empty for a plain number. */
  factors: readonly string[];
  offset: number;
}

/** Offsets up to this (a cache one longer than before, ...) are recognized. */
const largestOffset = 64;

/** The named dimensions of one trace. */
export class Dimensions {
  private readonly primeOf = new Map<string, number>();
  private readonly nameOf = new Map<number, string>();

  /** @param attempt shifts the primes, so that a clash with a real size can be told from a named dimension */
  constructor(private readonly attempt = 0) {}

  /** The stand-in number of a dimension in the trace; `batch*beams` is the product of two. */
  standIn(size: Dimension): number {
    if (typeof size === 'number') return size;
    if (size.includes('*')) return size.split('*').reduce((product, name) => product * this.standIn(name), 1);
    const known = this.primeOf.get(size);
    if (known !== undefined) return known;
    const prime = primes[(this.primeOf.size + this.attempt * 10) % primes.length];
    if (this.nameOf.has(prime)) {
      throw new PolybeamError(
        'TRACE_SHAPE',
        `A program can have ${primes.length} named dimensions, "${size}" is one more: name equal sizes alike.`,
      );
    }
    this.primeOf.set(size, prime);
    this.nameOf.set(prime, size);
    return prime;
  }

  /** Whether a number contains a named dimension (or can only be explained by one). */
  isSymbolic(value: number): boolean {
    return value >= primes[0] && this.explain(value).factors.length > 0;
  }

  /** Whether the number is a multiple of a stand-in. */
  isMultiple(value: number): boolean {
    if (!Number.isInteger(value) || value === 0) return false;
    for (const prime of this.nameOf.keys()) if (value % prime === 0) return true;
    return false;
  }

  /** Takes a size apart. A number that no named dimension explains is a plain number. */
  explain(value: number): SizeExpression {
    const exact = this.factor(value);
    if (exact.factors.length > 0 || value < primes[0] - largestOffset) return exact;
    for (let distance = 1; distance <= largestOffset; distance++) {
      for (const offset of [distance, -distance]) {
        const shifted = this.factor(value - offset);
        if (shifted.factors.length === 1 && shifted.coefficient === 1) return { ...shifted, offset };
      }
    }
    return exact;
  }

  /** The size as a signature writes it; products and sums become one readable name. */
  describe(value: number): Dimension {
    const { coefficient, factors, offset } = this.explain(value);
    if (factors.length === 0) return value;
    const product = [...(coefficient === 1 ? [] : [String(coefficient)]), ...factors].join('*');
    return offset === 0 ? product : `${product}${offset > 0 ? '+' : ''}${offset}`;
  }

  private factor(value: number): SizeExpression {
    const factors: string[] = [];
    let rest = value;
    for (const [prime, name] of this.nameOf) {
      while (rest !== 0 && rest % prime === 0) {
        factors.push(name);
        rest /= prime;
      }
    }
    return { coefficient: rest, factors, offset: 0 };
  }
}

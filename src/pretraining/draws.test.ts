import { expect, test } from 'vitest';
import { createDraws, poisson, shuffle } from './draws.js';

const take = (count: number, ...from: Parameters<typeof createDraws>) => {
  const draws = createDraws(...from);
  return Array.from({ length: count }, () => draws.uniform());
};

test('the same place of a run draws the same numbers, any other draws others', () => {
  const numbers = take(6, 1, 'mass', 2, 3);
  expect(take(6, 1, 'mass', 2, 3)).toEqual(numbers);
  for (const other of [
    take(6, 2, 'mass', 2, 3),
    take(6, 1, 'bart', 2, 3),
    take(6, 1, 'mass', 3, 2),
    take(6, 1, 'mass', 2, 4),
  ]) {
    expect(other.filter((number) => numbers.includes(number))).toEqual([]);
  }
});

test('numbers are uniform and whole numbers evenly spread', () => {
  const numbers = take(20_000, 7, 'x', 0, 0);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(numbers.reduce((sum, number) => sum + number, 0) / numbers.length).toBeCloseTo(0.5, 1.7);
  const draws = createDraws(7, 'y', 0, 0);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 10_000; i++) counts[draws.below(5)]++;
  // Five standard deviations of a binomial count are 200.
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

test('Poisson numbers have the mean and the variance they are named for', () => {
  const draws = createDraws(3, 'poisson', 0, 0);
  const numbers = Array.from({ length: 20_000 }, () => poisson(3, draws));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const variance = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / numbers.length;
  expect(mean).toBeCloseTo(3, 1);
  expect(Math.abs(variance - 3)).toBeLessThan(0.2);
});

test('every order of three is as likely', () => {
  const draws = createDraws(11, 'shuffle', 0, 0);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = shuffle(['a', 'b', 'c'], draws).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

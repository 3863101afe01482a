import { expect, test } from 'vitest';
import { splitIntoWords } from '../words.js';
import { blankBetween, joinWords } from './joinWords.js';

test.each([
  ["Deux hommes, dehors (l'été).", "Deux hommes, dehors (l'été)."],
  ["a t-shirt; don't: yes", "a t-shirt; don't: yes"],
  ['Er sagt „ja“, oder?', 'Er sagt „ja “, oder?'],
  ['50 % of 1.5', '50% of 1. 5'],
])('%s is joined to %s', (text, joined) => {
  expect(joinWords(splitIntoWords(text).map((word) => word.text))).toBe(joined);
});

test('n-grams are words with blanks between', () => {
  expect(joinWords(['rotes Auto', ', das', 'fährt .'])).toBe('rotes Auto, das fährt.');
  expect(joinWords([])).toBe('');
});

test('what stayed whole has blanks around it, whatever it begins or ends with', () => {
  expect(joinWords(['see', 'http://x.org/', 'or', '/etc/hosts', ',', 'at', '-5'])).toBe(
    'see http://x.org/ or /etc/hosts, at -5',
  );
});

test('nothing stands before the first word', () => {
  expect(blankBetween('', 'a')).toBe(false);
  expect(blankBetween('a', 'b')).toBe(true);
});

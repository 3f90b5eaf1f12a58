/** A stranger's project in a folder of its own, with the package as npm installs it. */

import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NPM = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
const SERVER_MS = 60_000;

export class Project {
  /** @param node major version of Node that runs it; default the one that runs this */
  constructor(folder, tarball, node) {
    this.folder = folder;
    this.tarball = tarball;
    const bin = `${ROOT}test/runtimes/node_modules/node${node}/bin:`;
    this.env = {
      ...process.env,
      PATH: `${node === undefined ? '' : bin}${process.env.PATH}`,
      CI: '1',
      NEXT_TELEMETRY_DISABLED: '1',
      YARN_ENABLE_TELEMETRY: '0',
      // Where `CI` is set it would want a lockfile.
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    };
  }

  path(name) {
    return join(this.folder, name);
  }

  /** Copies a folder of the recipes, or another of the repository. */
  copy(from, to = '.') {
    const own = join(HERE, from);
    const source = existsSync(own) ? own : join(ROOT, from);
    const filter = (path) => !/\/(node_modules|dist)$/.test(path);
    cpSync(source, this.path(to), { recursive: true, filter });
  }

  read(name) {
    return readFileSync(this.path(name), 'utf8');
  }

  write(name, text) {
    writeFileSync(this.path(name), text);
  }

  /** Names the tarball as the package in package.json. */
  usePackage(name = 'package.json') {
    const about = existsSync(this.path(name)) ? JSON.parse(this.read(name)) : { private: true };
    about.dependencies = { ...about.dependencies, fastcam: `file:${this.tarball}` };
    this.write(name, JSON.stringify(about));
  }

  /** `npm install`, with more packages than package.json names. */
  async install(...packages) {
    this.usePackage();
    await this.run('npm', 'install', ...NPM, ...packages);
  }

  /** Runs a command to its end. @returns the last line that it prints */
  async run(command, ...args) {
    const options = { cwd: this.folder, env: this.env, maxBuffer: 2 ** 26 };
    try {
      const { stdout } = await promisify(execFile)(command, args, options);
      return stdout.trimEnd().split('\n').at(-1);
    } catch ({ message, stdout = '', stderr = '' }) {
      throw new Error(`${message.split('\n', 1)}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
    }
  }

  /** Runs a server on a free port, `PORT` in its environment and arguments, for as long as `use` takes. */
  async serve([command, ...args], use, path = '/') {
    const port = await freePort();
    const env = { ...this.env, PORT: `${port}` };
    const options = { cwd: this.folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] };
    const server = spawn(
      command,
      args.map((text) => text.replace('PORT', port)),
      options,
    );
    let said = '';
    for (const stream of [server.stdout, server.stderr])
      stream.on('data', (text) => (said += text));
    try {
      const address = `http://localhost:${port}`;
      await answers(`${address}${path}`, server);
      return await use(address);
    } catch (error) {
      throw new Error(`${error.message}\n${said.slice(-2000)}`);
    } finally {
      // Its children too: package managers start servers in processes of their own.
      try {
        process.kill(-server.pid);
      } catch {}
    }
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function answers(address, server) {
  const end = performance.now() + SERVER_MS;
  while (performance.now() < end && server.exitCode === null) {
    if (
      await fetch(address).then(
        () => true,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the server does not answer at ${address}`);
}

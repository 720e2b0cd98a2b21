// Bluesky's own PDS on loopback, with the directory of identities it needs, for .ci/bluesky_peer.sh.
//
// usage: node bluesky_pds.mjs NODE_MODULES DATA_DIR
//
// Prints one line of JSON when it is ready: `url`, where it says it is and where a meter is to listen; `behind`, where it
// listens; its admin password. Ends on SIGTERM. ACCESS_SECONDS: how long an access token lives; 2 hours unless given, as
// in production.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

const [modules, data] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), 'x.js'));

// Both servers would listen on all addresses.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  if (typeof args[0] === 'number' && typeof args[1] !== 'string') args.splice(1, 0, '127.0.0.1');
  return listen.apply(this, args);
};

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const { PlcServer, Database } = require('@did-plc/server');
const { PDS, envToCfg, envToSecrets } = require('@atproto/pds');
const { Secp256k1Keypair } = await import(require.resolve('@atproto/crypto'));

if (process.env.ACCESS_SECONDS) {
  const entry = require.resolve('@atproto/pds');
  const auth = require(path.join(path.dirname(entry), 'account-manager', 'helpers', 'auth.js'));
  const { createAccessToken } = auth;
  auth.createAccessToken = (options) =>
    createAccessToken({ ...options, expiresIn: `${process.env.ACCESS_SECONDS}s` });
}

const [port, meterPort, plcPort] = [await freePort(), await freePort(), await freePort()];
const plc = PlcServer.create({ db: Database.mock(), port: plcPort });
await plc.start();

mkdirSync(data, { recursive: true });
const rotation = await Secp256k1Keypair.create({ exportable: true });
const adminPassword = 'admin-of-the-test';
const env = {
  devMode: true,
  port,
  hostname: 'localhost',
  dataDirectory: data,
  blobstoreDiskLocation: path.join(data, 'blobs'),
  adminPassword,
  jwtSecret: 'jwt-secret-of-the-test',
  didPlcUrl: `http://127.0.0.1:${plcPort}`,
  serviceHandleDomains: ['.test'],
  plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotation.export()).toString('hex'),
  inviteRequired: false,
  disableSsrfProtection: true,
  rateLimitsEnabled: true,
  // There is no AppView here, and nothing we do needs one.
  bskyAppViewUrl: 'http://127.0.0.1:9',
  bskyAppViewDid: 'did:web:appview.invalid',
};
const config = envToCfg(env);
// What it tells of itself in identity documents; it would say localhost, and only the address is let through.
config.service.publicUrl = `http://127.0.0.1:${meterPort}`;
const pds = await PDS.create(config, envToSecrets(env));
await pds.start();
const behind = `http://127.0.0.1:${port}`;
console.log(JSON.stringify({ url: config.service.publicUrl, behind, adminPassword }));
process.on('SIGTERM', async () => {
  await pds.destroy();
  await plc.destroy();
  process.exit(0);
});

/** What runs in the pods: says which pod answers and what it saw. Its arguments are the port, and what is printed when it listens. */
import { createServer } from 'node:http';

const [port = '', ready = ''] = process.argv.slice(2);

createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ pod: request.socket.localAddress, path: request.url, headers: request.headers }));
}).listen(Number(port), '0.0.0.0', () => process.stdout.write(`${ready}\n`));

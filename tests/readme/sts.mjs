import { createServer } from "node:http";

/** Answers AssumeRole as AWS STS does (API Reference, AssumeRole), with the keys given; gives the address. */
export function serveSts(keys) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const asked = new URLSearchParams(body);
    // STS refuses a session policy that isn't JSON, and a session without a name.
    JSON.parse(asked.get("Policy"));
    const fine = asked.get("Action") === "AssumeRole" && asked.get("RoleArn") && asked.get("RoleSessionName");
    response.statusCode = fine ? 200 : 400;
    response.setHeader("content-type", "text/xml");
    response.end(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
      <AccessKeyId>${keys.accessKeyId}</AccessKeyId>
      <SecretAccessKey>${keys.secretAccessKey}</SecretAccessKey>
      <SessionToken>${keys.sessionToken}</SessionToken>
      <Expiration>${keys.expiration}</Expiration>
    </Credentials></AssumeRoleResult></AssumeRoleResponse>`);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
}

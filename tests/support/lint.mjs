// What Redocly finds wrong with a contract: a line for each, in a folder with openapi-typescript.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({ extends: ["recommended"] });
for (const found of await lint({ ref: process.argv[2], config })) {
  console.log(`${found.ruleId}: ${found.message} ${found.location[0]?.pointer}`);
}

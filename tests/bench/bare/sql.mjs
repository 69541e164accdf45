// Runs the statements that it is sent, in one batch.
export default {
  async fetch(request, env) {
    const statements = (await request.json()).map((text) => env.DB.prepare(text));
    await env.DB.batch(statements);
    return Response.json({});
  },
};

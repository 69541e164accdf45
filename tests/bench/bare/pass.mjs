/** The least that a Worker in the middle can do: workerd moves the bytes, JavaScript never sees them. */
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    return fetch(env.UPSTREAM + pathname, { method: request.method, headers: request.headers, body: request.body });
  },
};

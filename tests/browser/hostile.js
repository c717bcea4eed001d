// The corpus of hostile replies in a browser: destinations that answer truly but for one call.
// The value of this script is `{cases, kept, world, judge}`.
(() => {
    const MIB = 1 << 20;
    // A large file has the bytes that the engine looks at, and none for a part: browsers hold only so many in Blobs, and no server
    // here reads them.
    const ZEROS = new Blob([new Uint8Array(MIB)]);
    const file = size => {
        const file = new File([new Uint8Array(1000)], 'clip.mp4', {type: 'video/mp4'});
        if (size > 1000) file.slice = (start, end, type) => ZEROS.slice(0, end - start > MIB ? 1 : end - start, type);
        return file;
    };

    // The corpus's shorthands, as tests/hostile/README.md has them.
    const text = (pieces, truth, count) => pieces.map(piece => {
        if (typeof piece === 'string') return piece;
        if ('repeat' in piece) return piece.repeat.repeat(piece.times);
        if ('count' in piece) return String(count);
        return piece.true === 'all' ? truth : truth.slice(truth.indexOf('{') + 1);
    }).join('');
    const value = short => {
        if (Array.isArray(short)) return short.map(value);
        if (short === null || typeof short !== 'object') return short;
        if ('repeat' in short) return text([short]);
        if ('list' in short) return Array.from({length: short.times}, () => value(short.list));
        if ('join' in short) return text(short.join);
        if ('names' in short) return Object.fromEntries(Array.from({length: short.names}, (_, at) => [`x-${at}`, 'x']));
        return Object.fromEntries(Object.entries(short).map(([name, member]) => [name, value(member)]));
    };
    const parent = (json, pointer) => pointer.split('/').slice(1, -1).reduce((json, name) => json[name], json);
    const last = pointer => pointer.split('/').at(-1);
    const set = (json, changes) => {
        for (const [pointer, short] of Object.entries(changes ?? {})) {
            if (pointer === '') json = value(short);
            else parent(json, pointer)[last(pointer)] = value(short);
        }
        return json;
    };
    const changed = (reply, truth, count) => {
        if (reply.body) return text(reply.body, truth, count);
        if (reply.cut) return truth.slice(0, truth.length * reply.cut);
        if (!reply.set && !reply.remove) return truth;
        const json = set(JSON.parse(truth), reply.set);
        for (const pointer of reply.remove ?? []) delete parent(json, pointer)[last(pointer)];
        return JSON.stringify(json);
    };

    const parts = (total, each) => Array.from({length: Math.ceil(total / each)}, (_, index) => ({
        partNumber: index + 1,
        byteRange: {start: index * each, end: Math.min(total, (index + 1) * each) - 1},
    }));

    /** Servers for one case; `n` keeps what the page remembers of a server apart. */
    function world(which, n) {
        const base = `/api/${n}`;
        const store = `https://s${n}.store.example`;
        const state = {case: which, seen: [], faults: [], count: 0, stored: new Map(), finished: false, exported: false, fail: null};
        const json = (value, headers = {}) => ({status: 200, headers, body: JSON.stringify(value)});
        const size = which.size === 'small' ? 1000 : 24 * MIB;

        // What each call truly answers.
        const truths = {
            'ofauth:check': () => json({exists: false}),
            'ofauth:init': () => {
                const at = `https://api.ofauth.com/v2/access/uploads`;
                if (size === 1000) {
                    const part = {partNumber: 1, uploadUrl: `${at}/mu_1`, byteRange: {start: 0, end: 999}};
                    return json({mediaUploadId: 'mu_1', uploadType: 'single', totalParts: 1, expiresAt: '2999-01-01T00:00:00Z', parts: [part]});
                }
                const list = parts(size, 5 * MIB).map(part => ({...part, uploadUrl: `${at}/mu_1/parts/${part.partNumber}`}));
                return json({mediaUploadId: 'mu_1', uploadType: 'multipart', totalParts: list.length,
                    expiresAt: '2999-01-01T00:00:00Z', parts: list, completeUrl: `${at}/complete`});
            },
            'ofauth:part': request => {
                const partNumber = +request.url.split('/').at(-1);
                return json({mediaUploadId: 'mu_1', partNumber, etag: `"e${partNumber}"`}, {etag: `"e${partNumber}"`});
            },
            'ofauth:single': () => json({mediaUploadId: 'mu_1', media: {id: 5}}, {etag: '"e"'}),
            'ofauth:complete': () => json({mediaUploadId: 'mu_1', media: {id: 5}}),
            'onlymonster:verify-fan': () => json({fan_id: '7001'}),
            'onlymonster:start': () => {
                const common = {get_url: `${store}/k?get`, key: 'k', id: 1};
                if (size === 1000) return json({...common, put_url: `${store}/k?sig=1`});
                const list = [1, 2, 3, 4].map(id => ({id, put_url: `${store}/k?partNumber=${id}&uploadId=u&sig=1`}));
                return json({...common, upload_id: 'u', parts: list});
            },
            'onlymonster:finish': () => (state.finished = true, json({e_tag: '"e-4"'})),
            'onlymonster:export': () => (state.exported = true, json(record())),
            'onlymonster:list': () => json({items: [record()]}),
            'apifansly:upload': () => json({data: {success: true, jobId: 'j1'}, message: 'ok'}),
            'apifansly:status': () => json({data: {state: 'completed', progress: 100, result: {mediaId: '9'}}, timestamp: new Date().toISOString()}),
            'form:upload': () => ({...json({job: `${base}/jobs/41`, id: '41'}), status: 202}),
            'form:status': () => json({state: 'completed', progress: 1, result: {mediaId: '41', key: 'files/41'}}),
            'store:PutObject': () => (state.object = '"e"', {status: 200, headers: {etag: '"e"'}, body: ''}),
            'store:UploadPart': request => {
                const number = +new URL(request.url).searchParams.get('partNumber');
                const {start, end} = parts(size, (which.provider === 's3' ? 8 : 5) * MIB)[number - 1].byteRange;
                state.stored.set(number, end + 1 - start);
                return {status: 200, headers: {etag: `"e${number}"`}, body: ''};
            },
            'store:CreateMultipartUpload': () => ({status: 200, headers: {},
                body: '<?xml version="1.0"?><InitiateMultipartUploadResult><Bucket>media</Bucket><Key>k</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>'}),
            'store:CompleteMultipartUpload': () => (state.object = '"e-3"', {status: 200, headers: {},
                body: '<?xml version="1.0"?><CompleteMultipartUploadResult><Key>k</Key><ETag>"e-3"</ETag></CompleteMultipartUploadResult>'}),
            'store:ListParts': () => ({status: 200, headers: {}, body: `<?xml version="1.0"?><ListPartsResult><IsTruncated>false</IsTruncated>${
                [...state.stored].map(([number, size]) => `<Part><PartNumber>${number}</PartNumber><Size>${size}</Size><ETag>"e${number}"</ETag></Part>`).join('')}</ListPartsResult>`}),
            'store:HeadObject': () => state.object
                ? {status: 200, headers: {etag: state.object, 'content-length': String(size), 'last-modified': new Date().toUTCString()}, body: ''}
                : {status: 404, headers: {}, body: ''},
            'store:AbortMultipartUpload': () => ({status: 204, headers: {}, body: ''}),
            'plan:open': file => json({key: 'k', ...(size > 1000 && {uploadId: 'u'}), expiresAt: '2999-01-01T00:00:00Z',
                parts: parts(file.size, 5 * MIB).map((part, index) => index < 2 ? {...part, uploadUrl: address(part.partNumber)} : part)}),
            'plan:sign': (plan, numbers) => json(numbers.map(partNumber => ({partNumber, uploadUrl: address(partNumber)}))),
            'plan:list': () => json([...state.stored].map(([partNumber, size]) => ({partNumber, size, etag: `"e${partNumber}"`}))),
            'plan:complete': () => json({key: 'k', etag: '"e-5"'}),
            'plan:abort': () => json(null),
            credentials: () => json({accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T', expiration: '2999-01-01T00:00:00Z'}),
        };
        const address = number => `${store}/k?partNumber=${number}&uploadId=u&X-Amz-SignedHeaders=host`;
        const record = () => ({id: 1, status: state.exported ? 'exported' : 'started', media_id: state.exported ? 77 : null,
            metadata: {key: 'k', e_tag: state.finished ? '"e-4"' : null}});

        const route = ({method, url}) => {
            const {host, pathname, searchParams} = new URL(url);
            if (host.endsWith('.store.example')) {
                if (method === 'PUT') return searchParams.has('uploadId') ? 'store:UploadPart' : 'store:PutObject';
                if (method === 'POST') return searchParams.has('uploads') ? 'store:CreateMultipartUpload' : 'store:CompleteMultipartUpload';
                return {GET: 'store:ListParts', HEAD: 'store:HeadObject', DELETE: 'store:AbortMultipartUpload'}[method];
            }
            if (!pathname.startsWith(`${base}/`)) return 'elsewhere';
            const path = pathname.slice(base.length);
            const ofauth = path.match(/^\/v2\/access\/uploads\/(check|init|complete)$/);
            if (ofauth) return `ofauth:${ofauth[1]}`;
            if (path.startsWith('/v2/access/uploads/')) return path.includes('/parts/') ? 'ofauth:part' : 'ofauth:single';
            if (path.endsWith('/fans/verify')) return 'onlymonster:verify-fan';
            const onlymonster = path.match(/^\/api\/v0\/accounts\/1001\/vault\/medias\/uploads(?:\/(start|finish|export))?$/);
            if (onlymonster) return `onlymonster:${onlymonster[1] ?? 'list'}`;
            if (path === '/api/fansly/2002/media/upload') return 'apifansly:upload';
            if (path === '/api/fansly/media/upload/j1/status') return 'apifansly:status';
            if (path === '/upload') return 'form:upload';
            if (path === '/jobs/41') return 'form:status';
            return 'elsewhere';
        };

        /** What one call answers: `{status, headers, body, breaks, redirect}`. */
        async function answer(name, ...about) {
            state.seen.push(name);
            if (name === state.fail?.route && state.fail.skip-- <= 0) return {status: 500, headers: {}, body: ''};
            const truth = truths[name];
            if (!truth) return {status: 404, headers: {}, body: ''};
            const {route, reply} = state.case;
            if (name !== route || !reply) return truth(...about);
            state.count += 1;
            const refused = reply.status && !(reply.status >= 200 && reply.status < 300);
            const {status, headers, body} = refused || reply.redirect ? {status: 200, headers: {}, body: ''} : await truth(...about);
            for (const [name, value] of Object.entries(reply.headers ?? {})) {
                if (value === null) delete headers[name];
                else headers[name] = value;
            }
            return {...reply, status: reply.status ?? status, headers, body: changed(reply, body, state.count)};
        }

        async function fetch(request) {
            const name = route(request);
            if (name === 'elsewhere') state.faults.push(`${request.method} ${request.url.slice(0, 100)}`);
            const {status, headers, body, breaks, redirect} = await answer(name, request);
            if (redirect) {
                // What a browser gives for a redirect that isn't followed.
                const opaque = {type: {value: 'opaqueredirect'}, status: {value: 0}};
                if (request.redirect === 'manual') return Object.defineProperties(new Response(), opaque);
                state.faults.push(`${name} would follow a redirect`);
            }
            const bare = [204, 205, 304].includes(status) || request.method === 'HEAD';
            if (!breaks) return new Response(bare ? null : body, {status, headers});
            const half = new TextEncoder().encode(body.slice(0, body.length / 2) || '{');
            let given = false;
            const pull = controller => given ? controller.error(new TypeError('network error')) : (given = true, controller.enqueue(half));
            return new Response(new ReadableStream({pull}), {status, headers});
        }

        /** The same from a function of the application's. */
        async function given(name, ...about) {
            const {status, body} = await answer(name, ...about);
            if (status >= 300) throw new Error(`the server answered ${status}`);
            try {
                return JSON.parse(body);
            } catch {
                return null;
            }
        }

        const providers = {
            ofauth: {baseUrl: base},
            onlymonster: {baseUrl: base, accountId: '1001', exportType: 'post', pollTimeoutMs: 60, requestsPerSecond: 10_000},
            apifansly: {baseUrl: base, accountId: '2002', pollTimeoutMs: 60},
            form: {url: `${base}/upload`, pollTimeoutMs: 60, parse: reply => {
                if (typeof reply.job !== 'string') throw new Error('the reply has no job');
                return {poll: reply.job};
            }},
            s3: {endpoint: store, partSize: 8 * MIB, bucket: 'media', region: 'us-east-1', forcePathStyle: true, key: 'k', getCredentials: () => given('credentials')},
            plan: {
                open: info => given('plan:open', info),
                sign: (plan, numbers) => given('plan:sign', plan, numbers),
                list: plan => given('plan:list', plan),
                complete: (plan, parts) => given('plan:complete', plan, parts),
                abort: plan => given('plan:abort', plan),
            },
        };
        state.options = {fetch, integrity: 'off', retry: {attempts: 2, baseMs: 1, capMs: 1}};
        state.provider = {name: which.provider, ...providers[which.provider], ...which.options};
        [state.size, state.file] = [size, file(size)];
        return state;
    }

    /** Every case of the destinations' files and of any.json, as this browser has it. */
    function cases(files, any) {
        const list = files.flatMap(({provider, cases}) => cases.filter(({only}) => !only || only === 'browser')
            .map(one => ({...one, provider, title: `${one.route} ${one.size ?? 'large'}: ${one.name}`, expect: one.browser ?? one.expect})));
        for (const call of any.calls) {
            const who = call.route.split(':')[0];
            for (const [name, body] of Object.entries(any.bodies)) {
                list.push({
                    ...call,
                    provider: call.provider ?? ({store: 's3', credentials: 's3'}[who] ?? who),
                    title: `${call.route} ${call.size ?? 'large'}: ${name}`,
                    reply: {body},
                    expect: call.browser?.[name] ?? call.expect[name] ?? call.expect['*'],
                });
            }
        }
        return list;
    }

    /** Every case of records.json. */
    const kept = ({stages, cases}) => cases.flatMap(one =>
        one.of.map(provider => ({...one, provider, stage: stages[provider], title: `${provider}: ${one.name}`})));

    /** What is kept of the upload that has failed, changed as the case says; from here on the servers do as the case says. */
    function change(state, record, arrived) {
        const {stage, set: changes, arrived: replaced} = state.case;
        state.fail = null;
        state.opened = state.seen.filter(name => name === stage.open).length;
        return {record: set(structuredClone(record), changes), parts: replaced ? value(replaced) : arrived};
    }

    /** What is wrong with how a case ended; empty where nothing is. */
    function judge(state, type, detail) {
        const {case: {expect, route, requests = 300, stage}, seen, faults} = state;
        const again = expect === 'restarted' || expect === 'kept';
        const told = type === 'complete' ? 'done' : detail.code;
        const wrong = [];
        if (told !== (again ? 'done' : expect)) wrong.push(`${told} in place of ${expect}: ${String(detail.message).slice(0, 200)}`);
        if (type === 'error') {
            const {message, hint, vendor} = detail;
            const longest = Math.max(...[message, hint, vendor?.code, vendor?.message].map(text => text?.length ?? 0));
            if (!message || longest > 2000) wrong.push(`a text of ${longest} letters`);
        }
        if (route && !seen.includes(route)) wrong.push(`${route} was never asked`);
        if (seen.length > requests) wrong.push(`${seen.length} requests`);
        if (stage && seen.filter(name => name === stage.open).length > state.opened !== (expect === 'restarted')) wrong.push('opened again, or not');
        return [...wrong, ...faults].join('; ');
    }

    return {cases, kept, world, change, judge};
})()

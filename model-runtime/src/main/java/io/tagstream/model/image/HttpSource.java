/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.AddressPolicy.BlockedAddressException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.utils.DateUtils;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * Reads {@code http:} and {@code https:} URIs. It follows redirects itself, one by one, so that each is counted and
 * checked like the first address.
 *
 * <p><i>Threading notes.</i> {@link #read} blocks and may be called by any number of threads. A timer thread aborts
 * requests at their deadline, whatever state they are in: a server that sends a byte now and then never causes a read
 * timeout.
 */
final class HttpSource implements ImageSource {
    static final Kind KIND =
            new Kind(List.of("http", "https"), Place.SERVER, "https://…", HttpSource::origin, HttpSource::new);

    /** Far beyond the 253 characters of a host's name. */
    private static final int LONGEST_ORIGIN = 300;

    /** By default the client reads as many headers as a server sends, of any length. */
    private static final Http1Config HEAD_LIMITS = Http1Config.custom()
            .setMaxLineLength(16 * 1024)
            .setMaxHeaderCount(200)
            .build();

    private static final TimeValue IDLE = TimeValue.ofSeconds(30);
    /** 203: a proxy has changed something about the answer. */
    private static final Set<Integer> DELIVERED = Set.of(200, 203);

    private static final Set<Integer> OVERLOAD = Set.of(408, 429, 503, 504);
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,9}");

    private final Duration timeout;
    private final int maxRedirects;
    private final OptionNames names;
    private final LimitedReader reader;
    private final CloseableHttpClient client;
    private final ScheduledThreadPoolExecutor deadlines;

    private HttpSource(FetchOptions options, LimitedReader reader, AddressPolicy addresses) {
        this.timeout = options.timeout();
        this.maxRedirects = options.maxRedirects();
        this.names = options.optionNames();
        this.reader = reader;
        this.client = HttpClients.custom()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        .setDnsResolver(addresses)
                        .setConnectionFactory(ManagedHttpClientConnectionFactory.builder()
                                .http1Config(HEAD_LIMITS)
                                .build())
                        .setMaxConnTotal(options.concurrency())
                        .setMaxConnPerRoute(options.concurrency())
                        .setDefaultConnectionConfig(ConnectionConfig.custom()
                                .setConnectTimeout(Timeout.of(options.connectTimeout()))
                                .setSocketTimeout(Timeout.of(timeout))
                                .build())
                        .build())
                .setDefaultRequestConfig(RequestConfig.custom()
                        .setConnectionRequestTimeout(Timeout.of(timeout))
                        .setResponseTimeout(Timeout.of(timeout))
                        .build())
                .evictIdleConnections(IDLE)
                .disableRedirectHandling()
                .disableAutomaticRetries()
                .disableContentCompression()
                .disableCookieManagement()
                .disableAuthCaching()
                .setUserAgent(options.userAgent())
                .build();
        this.deadlines = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "tagstream-fetch-deadlines");
            thread.setDaemon(true);
            return thread;
        });
        deadlines.setRemoveOnCancelPolicy(true);
    }

    /** Scheme, host and port. */
    private static String origin(String uri) {
        int end = uri.indexOf(':') + 3;
        while (end < uri.length() && "/?#".indexOf(uri.charAt(end)) < 0 && end < LONGEST_ORIGIN) {
            end++;
        }
        return uri.substring(0, Math.min(end, uri.length())).toLowerCase(Locale.ROOT);
    }

    @Override
    public LimitedReader.Content read(String text, Duration longest) throws ImageException, InterruptedException {
        URI uri = Iri.uri(text);
        Duration allowed = longest.compareTo(timeout) < 0 ? longest : timeout;
        long deadline = System.nanoTime() + allowed.toNanos();
        URI current = uri;
        for (int redirects = 0; redirects <= maxRedirects; redirects++) {
            Step step = request(current, allowed, deadline);
            if (step.content() != null) {
                return step.content();
            }
            current = step.redirect();
        }
        throw new ImageException(
                FailureReason.FETCH_BLOCKED,
                "%s redirects more than %d times (%s), finally to %s"
                        .formatted(name(uri), maxRedirects, names.maxRedirects(), name(current)));
    }

    @Override
    public void close() {
        deadlines.shutdownNow();
        client.close(CloseMode.IMMEDIATE);
    }

    /** The result of one request: content, or the next address. */
    private record Step(LimitedReader.Content content, URI redirect) {}

    private Step request(URI uri, Duration allowed, long deadline) throws ImageException, InterruptedException {
        check(uri);
        HttpGet request = get(uri);
        request.setHeader(HttpHeaders.ACCEPT, "image/*");
        request.setHeader(HttpHeaders.ACCEPT_ENCODING, "identity");
        AtomicBoolean expired = new AtomicBoolean();
        ScheduledFuture<?> alarm = deadlines.schedule(
                () -> {
                    expired.set(true);
                    request.cancel();
                },
                deadline - System.nanoTime(),
                TimeUnit.NANOSECONDS);
        try (ClassicHttpResponse response = client.executeOpen(null, request, null)) {
            boolean read = false;
            try {
                Step step = step(uri, response);
                read = true;
                return step;
            } finally {
                if (!read || response.getCode() >= 300) {
                    // otherwise closing the response would read an endless body to the end
                    request.cancel();
                }
            }
        } catch (IOException | RuntimeException e) {
            throw failure(uri, e, allowed, expired.get());
        } finally {
            alarm.cancel(false);
        }
    }

    private Step step(URI uri, ClassicHttpResponse response) throws ImageException, IOException, InterruptedException {
        int status = response.getCode();
        Header location = response.getFirstHeader(HttpHeaders.LOCATION);
        if (status >= 300 && status < 400 && location != null) {
            return new Step(null, redirect(uri, location.getValue()));
        }
        if (!DELIVERED.contains(status)) {
            FailureReason reason = reason(status);
            String message = "%s answered HTTP %d; %s".formatted(name(uri), status, remedy(reason));
            if (OVERLOAD.contains(status)) {
                Header retryAfter = response.getFirstHeader(HttpHeaders.RETRY_AFTER);
                throw ImageException.overloaded(reason, message, retryAfter(retryAfter), null);
            }
            throw new ImageException(reason, message);
        }
        HttpEntity entity = response.getEntity();
        if (entity == null) {
            return new Step(reader.read(InputStream.nullInputStream(), 0, name(uri)), null);
        }
        List<String> encodings = ContentEncoding.of(response.getHeaders(HttpHeaders.CONTENT_ENCODING));
        InputStream content = ContentEncoding.decoded(entity.getContent(), encodings, name(uri));
        long length = encodings.isEmpty() ? entity.getContentLength() : -1;
        return new Step(reader.read(content, length, name(uri)), null);
    }

    private static void check(URI uri) throws ImageException {
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!KIND.schemes().contains(scheme)) {
            throw new ImageException(
                    FailureReason.FETCH_BLOCKED,
                    "a redirect leads to %s; only %s are followed"
                            .formatted(name(uri), Series.of(KIND.schemes(), "and")));
        }
        if (uri.getRawAuthority() == null || uri.getRawAuthority().isEmpty()) {
            throw new ImageException(FailureReason.BAD_REFERENCE, name(uri) + " names no host");
        }
        if (uri.getRawAuthority().contains("@")) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "a URI with a user or password is not fetched; submit a signed URL instead");
        }
        if (!Iri.hasOneHost(uri)) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "%s: the host's name could mean several hosts, or none; write it in ASCII, as xn--…"
                            .formatted(name(uri)));
        }
    }

    private static HttpGet get(URI uri) throws ImageException {
        try {
            return new HttpGet(uri);
        } catch (IllegalArgumentException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE, "%s cannot be requested: %s".formatted(name(uri), e.getMessage()), e);
        }
    }

    private static URI redirect(URI from, String location) throws ImageException {
        try {
            return from.resolve(Iri.encodedLocation(location));
        } catch (IllegalArgumentException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "%s redirects to \"%s\", which is not a URI".formatted(name(from), Excerpt.of(location)),
                    e);
        }
    }

    private static FailureReason reason(int status) {
        return switch (status) {
            case 404, 410 -> FailureReason.FETCH_NOT_FOUND;
            case 401, 403, 407, 451 -> FailureReason.FETCH_FORBIDDEN;
            case 408, 504 -> FailureReason.FETCH_TIMEOUT;
            case 429 -> FailureReason.FETCH_FAILED;
            // any other 4xx means that the request is wrong, and it would be wrong again
            default -> status >= 400 && status < 500 ? FailureReason.BAD_REFERENCE : FailureReason.FETCH_FAILED;
        };
    }

    /** RFC 9110, section 10.2.3: seconds or a date; empty if it is neither. */
    private static Optional<Duration> retryAfter(Header header) {
        if (header == null) {
            return Optional.empty();
        }
        String value = header.getValue().strip();
        if (SECONDS.matcher(value).matches()) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
        }
        return Optional.ofNullable(DateUtils.parseStandardDate(value))
                .map(date -> Duration.between(Instant.now(), date))
                .map(wait -> wait.isNegative() ? Duration.ZERO : wait);
    }

    private static String remedy(FailureReason reason) {
        if (reason == FailureReason.FETCH_FORBIDDEN) {
            return "submit an address that can be read without signing in, such as a signed URL";
        }
        return reason.retryable() ? "try again later" : "check the address";
    }

    private ImageException failure(URI uri, Exception e, Duration allowed, boolean expired) {
        // a single read may wait as long as the whole fetch, so its timeout means that the fetch has timed out
        boolean readTimedOut = e instanceof SocketTimeoutException && !(e instanceof ConnectTimeoutException);
        if (expired || readTimedOut) {
            return ImageException.overloaded(
                    FailureReason.FETCH_TIMEOUT,
                    "%s did not deliver the image within %s; try again, or raise %s if the server is just slow"
                            .formatted(name(uri), text(allowed), names.timeout()),
                    Optional.empty(),
                    e);
        }
        if (e instanceof BlockedAddressException) {
            return new ImageException(
                    FailureReason.FETCH_BLOCKED,
                    "%s is blocked: %s; if images are meant to come from there, set %s to true"
                            .formatted(name(uri), e.getMessage(), names.allowPrivateAddresses()),
                    e);
        }
        if (e instanceof UnknownHostException) {
            return ImageException.overloaded(
                    FailureReason.FETCH_FAILED,
                    "%s: the host's name does not resolve; check the spelling and the network".formatted(name(uri)),
                    Optional.empty(),
                    e);
        }
        if (e instanceof SocketTimeoutException || e instanceof InterruptedIOException) {
            return ImageException.overloaded(
                    FailureReason.FETCH_TIMEOUT,
                    "%s timed out: %s".formatted(name(uri), e.getMessage()),
                    Optional.empty(),
                    e);
        }
        if (e instanceof ConnectException) {
            return ImageException.overloaded(
                    FailureReason.FETCH_FAILED,
                    "%s: no connection: %s".formatted(name(uri), e.getMessage()),
                    Optional.empty(),
                    e);
        }
        if (e instanceof SSLException) {
            return new ImageException(
                    FailureReason.FETCH_FAILED, "%s: TLS failed: %s".formatted(name(uri), e.getMessage()), e);
        }
        return new ImageException(FailureReason.FETCH_FAILED, "%s: %s".formatted(name(uri), e.getMessage()), e);
    }

    private static String text(Duration duration) {
        return duration.toMillis() % 1000 == 0 ? duration.toSeconds() + " s" : duration.toMillis() + " ms";
    }

    /** The URI without its query, which often carries a signature. */
    private static String name(URI uri) {
        String text = uri.toString();
        int query = text.indexOf('?');
        return Excerpt.of(query < 0 ? text : text.substring(0, query) + "?…");
    }
}

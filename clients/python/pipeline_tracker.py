"""Reports the execution of a Python pipeline to the run record archiver's database.

    from pipeline_tracker import track_init, genter, gexit, track_task_progress, track_finish, track_error

One file, standard library only. It reports, by what the environment says:

* to PostgreSQL (psycopg2 or psycopg, whichever is installed): MONITOR_DB_CONN, or MONITOR_DB_HOST, _PORT, _NAME, _USER, _PASSWORD
  (TASKER_DB_* are read too; without any of them: database geodb on this host, user pipeline);
* over HTTP: MONITOR_DB_CONN=http://host:port, with MONITOR_TOKEN;
* to a file of one machine: MONITOR_DB_CONN=sqlite:/path/ledger.db (made by `run-archiver track migrate-schema`);
* nowhere: MONITOR_DB_CONN=off.

Every call only changes memory and returns; a background thread writes. The end alone is waited for, two seconds at most, so that it is not lost by
what follows (os._exit). Nothing here raises into the pipeline or changes its exit code. A forked process (os.fork, multiprocessing) reports nothing
for its parent; one that is to report calls track_init itself (where both report to SQLite, it leaves its rows in the spool to its parent). What
cannot be written waits in that spool, a file (MONITOR_SPOOL_DIR, else ~/.local/state/run-archiver) in which each line is a whole row: whichever process
reports next writes it, and writing it twice changes nothing.
"""

import atexit
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import uuid
from datetime import datetime, timezone

__all__ = [
    "track_init", "track_status", "track_finish", "track_error", "track_task_progress", "track_subtask_progress",
    "genter", "gexit", "gmessage", "track_step", "track_flush", "Execution",
]

FLUSH_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
TIMEOUT_SECONDS = 5
try:
    RETRY_SECONDS = float(os.environ.get("MONITOR_RETRY_SECONDS") or "30")
except ValueError:
    RETRY_SECONDS = 30.0
LAST_FLUSH_SECONDS = 2.0
SPOOL_BYTES = 50 * 1024 * 1024
SPOOL_PIECES = 8
"""What is given up when the spool is full is given up in pieces of an eighth."""
REPLAY_LINES = 500
"""Lines of the spool that are written at once."""
REFUSED_BYTES = 5 * 1024 * 1024
LARGEST_ANSWER = 4 * 1024 * 1024
LONGEST_TEXT = 2000
LONGEST_DETAIL = 16000
ENVIRONMENT = ("BDC_DOWNLOAD_PATH", "PYTHONPATH", "R_LIBS", "R_LIBS_USER")
STAGES = ("PREREQ", "STATIC", "DAILY", "ANNUAL_DEC", "ANNUAL_SEPT", "ANNUAL_JUNE", "PERIODIC")
KEEP = object()
"""A field that was not named: it stays as it is. None clears it."""

_ENDED = ("FINISHED", "FAILED", "CANCELLED")
_SECRETS = [
    (re.compile(r"\b([a-z][a-z0-9+.-]{0,30}://[^\s/:@'\"]*):[^\s/'\"]*@", re.I), r"\1:[secret]@"),
    (re.compile(r"\b(Basic|Bearer|Digest)\s+[A-Za-z0-9+/=_.~-]{8,}"), r"\1 [secret]"),
    (re.compile(r"((?:password|passwd|pwd|secret|token|api_?key)[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)", re.I), r"\1[secret]"),
]


def _words(value):
    """As str, also of an object that has no text of its own."""
    try:
        return str(value)
    except Exception:
        return "<%s without a text>" % type(value).__name__


def _text(value, longest=LONGEST_TEXT):
    """A text that may be shown: without secrets and control characters."""
    if value is None:
        return None
    text = _words(value)[:4 * longest]  # what is cut off below costs nothing
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    text = "".join(c if c.isprintable() else {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c, "\\u{%x}" % ord(c)) for c in text)
    return text[:longest]


def _detail(value):
    if value is None:
        return None
    return "\n".join(_text(line, LONGEST_DETAIL) for line in _words(value)[:4 * LONGEST_DETAIL].splitlines())[:LONGEST_DETAIL]


def _time(seconds):
    """As the database takes it in a session that runs in UTC."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + "%03d" % (moment.microsecond // 1000)


def _share(done, total):
    if total is None or done is None:
        return None
    if total <= 0:
        return 100.0
    return round(min(1.0, max(0.0, done / total)) * 100, 2)


MOST_STEPS = 2**31 - 1
MOST_ITEMS = 2**53 - 1
"""What the columns of every engine take: a larger number would be refused with its whole row, and with each later one."""


def _number(value, most=MOST_ITEMS):
    """The whole number, or KEEP with a warning where it is none, or one that no column takes."""
    if value is None or value is KEEP:
        return value
    try:
        number = int(round(float(value)))
    except (TypeError, ValueError, OverflowError):
        _warn("not a number: %.100r" % (value,))
        return KEEP
    if 0 <= number <= most:
        return number
    _warn("%.100r must be a whole number from 0 to %d" % (value, most))
    return KEEP


def _percent(value):
    """0 to 100: a share may be a little outside through rounding."""
    if value is None or value is KEEP:
        return value
    try:
        number = float(value)
        if number != number:
            raise ValueError(value)
    except (TypeError, ValueError, OverflowError):
        _warn("not a number: %.100r" % (value,))
        return KEEP
    return min(100.0, max(0.0, number))


def _print(text, file=None):
    """As print, whatever the encoding of the output is: what it cannot write is escaped."""
    stream = file or sys.stdout
    if stream is None:
        return  # a program without a console
    try:
        print(text, file=stream)
    except UnicodeError:
        code = getattr(stream, "encoding", None) or "ascii"
        print(text.encode(code, "backslashreplace").decode(code), file=stream)


_warned = set()


def _warn(message):
    """Each warning once: a loop must not fill a log."""
    if message in _warned or len(_warned) > 100:
        return
    _warned.add(message)
    try:
        _print("Warning: %s" % _text(message), sys.stderr)
    except Exception:
        pass


class _Step:
    def __init__(self, seq, name, at, above=None):
        self.seq, self.name, self.started = seq, name, at
        self.depth = above.depth + 1 if above else 0
        self.parent = above.seq if above else None
        self.state, self.ended = "running", None
        self.total = self.complete = self.percent = self.message = self.error = None

    def share(self):
        if self.state == "done":
            return 100.0
        return self.percent if self.percent is not None else _share(self.complete, self.total)

    def word(self):
        return {"started": "NOT_STARTED", "running": "RUNNING", "done": "COMPLETED"}.get(self.state, "FAILED")

    def end(self, state, at, error=None):
        if self.ended is None:
            self.state, self.ended, self.error = state, max(at, self.started), error or self.error


class Execution:
    """One execution as it stands. Operations change memory; `rows` says what is to be written. An end never changes."""

    def __init__(self, task_name, total_subtasks=None, stage=None, **facts):
        now = time.time()
        self.run_id = str(uuid.uuid4())
        self.lock = threading.RLock()
        self.facts = dict(facts, task_name=task_name, stage=stage or _detect_task_stage(str(task_name)))
        self.status, self.reason = "STARTED", None
        self.started = self.updated = self.heartbeat = self.progressed = now
        self.ended_at = None
        self.total = _number(total_subtasks, MOST_STEPS)
        self.total = None if self.total is KEEP else self.total
        self.entered = self.ended = 0
        self.open, self.shown, self.dirty = [], None, {}
        self.override = self.overall_message = self.error_message = self.error_detail = self.exit_code = None
        self.memory = self.peak = self.cpu = None
        self.rows_processed = None
        self.revision, self.changed, self.counts_steps = 0, True, False

    def alive(self):
        return self.status not in _ENDED

    def touch(self):
        """Whether a report counts: it does until the end."""
        if not self.alive():
            return False
        self.updated = self.progressed = time.time()
        self.changed = True
        if self.status == "STARTED":
            self.status = "RUNNING"
        return True

    def show(self, step):
        self.shown = step
        self.dirty[step.seq] = step

    def completed(self, step, items):
        """So many items of a step are complete. What was processed is the sum over all steps; None while no step counts any."""
        if items is not None or step.complete is not None:
            self.rows_processed = (self.rows_processed or 0) + (items or 0) - (step.complete or 0)
        step.complete = items

    def enter(self, name):
        with self.lock:
            if not self.touch():
                return
            self.entered += 1
            step = _Step(self.entered, _words(name), self.updated, self.open[-1] if self.open else None)
            self.open.append(step)
            self.show(step)
            if self.total is not None:
                self.total = max(self.total, self.entered)
            self.override = None
            of = "" if self.total is None else " of %d" % self.total
            self.overall_message = "Task %d%s: %s" % (self.entered, of, step.name)

    def leave(self, state="done", error=None):
        with self.lock:
            if not self.open or not self.touch():
                return
            step = self.open.pop()
            self.ended += 1
            step.end(state, self.updated, error)
            self.show(step)

    def step_for(self, number, name):
        """The step that a status report is about; another number or name begins a new one."""
        shown = self.open[-1] if self.open else self.shown
        if shown and number in (None, self.entered) and (name in (None, shown.name) or (number is not None and shown.ended is None)):
            shown.name = name or shown.name
            return shown
        number = self.entered + 1 if number is None else number
        for step in reversed(self.open):
            step.end("done", self.updated)
            self.dirty[step.seq] = step
        step = _Step(number, name or (shown.name if shown else ""), self.updated)
        self.entered, self.ended, self.open, self.override = number, max(0, number - 1), [step], None
        if self.total is not None:
            self.total = max(self.total, number)
        return step

    def report(self, status=None, current_subtask=KEEP, subtask_name=KEEP, subtask_status=KEEP, overall_percent=KEEP,
               overall_message=KEEP, subtask_percent=KEEP, subtask_message=KEEP, subtask_items_total=KEEP,
               subtask_items_complete=KEEP):
        with self.lock:
            if not self.touch():
                return
            fields = (current_subtask, subtask_name, subtask_status, subtask_percent, subtask_message,
                      subtask_items_total, subtask_items_complete)
            if any(field is not KEEP for field in fields):
                self._report_step(*fields)
            if overall_percent is not KEEP:
                share = _percent(overall_percent)
                self.override = self.override if share is KEEP else share
            if overall_message is not KEEP:
                self.overall_message = overall_message
            word = str(status).upper() if status else "RUNNING"
            if word in _ENDED:
                message = overall_message if overall_message is not KEEP else None
                self.end(word, {"FINISHED": "ok", "FAILED": "error", "CANCELLED": "user"}[word],
                         message if word == "FAILED" else None)
            elif word not in ("STARTED", "RUNNING"):
                _warn("status %r is none of STARTED, RUNNING, FINISHED, FAILED, CANCELLED" % (status,))

    def _report_step(self, number, name, word, percent, message, total, complete):
        number = _number(number, MOST_STEPS)
        step = self.step_for(None if number is KEEP else number, None if name in (KEEP, None) else str(name))
        total, complete = _number(total), _number(complete)
        percent = _percent(percent)
        if total is not KEEP:
            step.total = total
        if complete is not KEEP:
            self.completed(step, complete)
            step.percent = None
        if percent is not KEEP:
            step.percent = percent
        if message is not KEEP:
            step.message = message
        word = word.upper() if isinstance(word, str) else None
        if word in ("NOT_STARTED", "RUNNING") and step.ended is None:
            step.state = "started" if word == "NOT_STARTED" else "running"
        if word in ("COMPLETED", "FAILED") and step.ended is None:
            if step in self.open:
                self.open.remove(step)
            self.ended += 1
            step.end("done" if word == "COMPLETED" else "failed", self.updated)
        self.show(step)

    def end(self, status, reason, error=None, detail=None, exit_code=None):
        with self.lock:
            if not self.alive():
                return False
            # Also of one that is too short for a sign of life.
            memory, peak = _memory()
            if memory is not None:
                self.memory, self.peak = memory, max(peak, self.peak or 0)
            self.updated = time.time()
            self.ended_at = max(self.updated, self.started)  # a clock that was set back ends nothing before it began
            if status != "FINISHED":
                self.override = self.overall()  # steps that end because it failed are no further than they came
            self.status, self.reason, self.changed = status, reason, True
            if error is not None:
                self.error_message, self.error_detail = error, detail
            self.exit_code = exit_code
            state = "done" if status == "FINISHED" else "failed"
            for step in reversed(self.open):
                step.end(state, self.ended_at)
                self.ended += 1
                self.dirty[step.seq] = step
            self.open = []
            return True

    def overall(self):
        """100 x (steps ended + part of the current) / total."""
        if self.status == "FINISHED" and self.reason == "ok":
            return 100.0
        if self.override is not None or self.total is None:
            return self.override
        part = (self.open[-1].share() or 0) / 100 if self.open else 0
        return _share(self.ended + part, self.total)

    def rows(self):
        """What changed, as whole rows. The revision counts up, so an older row never replaces a newer one."""
        with self.lock:
            if not self.changed:
                return []
            self.changed = False
            self.revision += 1
            steps = [self._step_row(step) for _, step in sorted(self.dirty.items())]
            self.dirty = {}
            passing = self.alive() and self.status != "STARTED" and self.revision > 1
            return [("executions", self._cells(), passing)] + steps

    def _step_row(self, step):
        return ("subtasks", {
            "run_id": self.run_id, "seq": step.seq, "name": _text(step.name), "state": step.state,
            "started_at": _time(step.started), "ended_at": None if step.ended is None else _time(step.ended),
            "updated_at": _time(time.time()), "items_total": step.total, "items_complete": step.complete,
            "percent": step.share(), "message": _text(step.message), "error_message": _text(step.error),
            "depth": step.depth, "parent_seq": step.parent, "revision": self.revision,
        }, step.ended is None)

    def _cells(self):
        facts, step = self.facts, self.shown
        return {
            "run_id": self.run_id, "task_name": _text(facts["task_name"], 255), "task_stage": _text(facts["stage"], 50),
            "task_type": "python", "hostname": facts["hostname"], "process_id": facts["process_id"],
            "user_name": facts["user_name"], "script_path": _text(facts["script_path"]),
            "script_file": _text(facts["script_file"], 255), "log_path": _text(facts.get("log_path")),
            "log_file": _text(facts.get("log_file"), 255), "execution_start": _time(self.started),
            "execution_end": None if self.ended_at is None else _time(self.ended_at),
            "last_update": _time(max(self.updated, self.heartbeat)), "execution_status": self.status,
            "end_reason": self.reason, "total_subtasks": self.total, "current_subtask": self.entered,
            "subtask_name": _text(step.name) if step else None, "subtask_status": step.word() if step else None,
            "overall_percent_complete": self.overall(), "overall_progress_message": _text(self.overall_message),
            "subtask_percent_complete": step.share() if step else None,
            "subtask_progress_message": _text(step.message) if step else None,
            "subtask_items_total": step.total if step else None,
            "subtask_items_complete": step.complete if step else None,
            "memory_mb": self.memory, "peak_memory_mb": self.peak, "cpu_percent": self.cpu,
            "error_message": _text(self.error_message), "error_detail": _detail(self.error_detail),
            "git_commit": facts["git_commit"], "environment": facts["environment"],
            "parent_run_id": facts["parent_run_id"], "boot_id": facts["boot_id"],
            "process_start_ticks": facts["process_start_ticks"], "heartbeat_at": _time(self.heartbeat),
            "progress_at": _time(self.progressed), "exit_code": self.exit_code, "revision": self.revision,
        }


# --- where rows go ---------------------------------------------------------------------------------------------------------------

_KEYS = {"executions": ("run_id",), "subtasks": ("run_id", "seq"), "process_metrics": ("run_id", "at"),
         "events": ("run_id", "seq")}


def _is_refusal(error):
    """Whether a value is wrong, so that the row will never be taken as it is. What comes of the connection, a lock, a right or a
    missing table passes, and is none."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if state:
        # 42804: a value of another type than its column's.
        return state[:2] in ("21", "22", "23", "54") or state == "42804"
    if isinstance(error, (KeyError, TypeError, ValueError, OverflowError)):
        return True
    # DB-API: one of these without a state comes of SQLite, or of the driver itself before anything was sent.
    return type(error).__name__ in ("DataError", "IntegrityError", "InterfaceError") and type(error).__module__.startswith("sqlite3")


def _storable(value):
    """No engine of these stores a NUL character or half of a surrogate pair; and a truth is a number."""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        return value
    value = value.replace("\0", "\ufffd")
    return value if not _HALF.search(value) else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_HALF = re.compile("[\ud800-\udfff]")


class _Sql:
    """A database: PostgreSQL or SQLite. A row that is there is replaced by one that is as new or newer."""

    ROWS_AT_ONCE = 500

    def __init__(self, connection, mark, tables, columns, undo):
        self.connection, self.mark, self.tables, self.columns, self.undo = connection, mark, tables, columns, undo

    def write(self, rows):
        """Writes all rows but those that the database will never take, which it returns, each with the reason."""
        refused = []
        for at in range(0, len(rows), self.ROWS_AT_ONCE):
            part = rows[at:at + self.ROWS_AT_ONCE]
            try:
                self._commit(part)
            except Exception as error:
                if not _is_refusal(error):
                    raise
                refused += self._commit_each(part)
        return refused

    def _commit_each(self, rows):
        """One row must never keep the others from being written."""
        refused = []
        for row in rows:
            try:
                self._commit([row])
            except Exception as error:
                if not _is_refusal(error):
                    raise
                refused.append((row, str(error).strip()))
        return refused

    def _commit(self, rows):
        try:
            cursor = self.connection.cursor()
            for table, cells, _ in rows:
                self._write(cursor, table, cells)
            self.connection.commit()
        except Exception:
            self.undo(self.connection)
            raise

    def _write(self, cursor, table, cells):
        known = self.columns.get(table)
        if not known:
            return  # an older table of executions has no steps beside it
        cells = {name: _storable(value) for name, value in cells.items() if name in known}
        keys = _KEYS[table]
        others = [name for name in cells if name not in keys]
        place = self.tables[table]
        where = " AND ".join("%s = %s" % (key, self.mark) for key in keys)
        values = [cells[key] for key in keys]
        if "revision" in cells:
            where += " AND revision <= %s" % self.mark
            values.append(cells["revision"])
        changes = ", ".join("%s = %s" % (name, self.mark) for name in others)
        cursor.execute("UPDATE %s SET %s WHERE %s" % (place, changes, where), [cells[name] for name in others] + values)
        if cursor.rowcount > 0:
            return
        names = ", ".join(cells)
        marks = ", ".join([self.mark] * len(cells))
        conflict = "ON CONFLICT (%s) DO NOTHING" % ", ".join(keys)
        cursor.execute("INSERT INTO %s (%s) VALUES (%s) %s" % (place, names, marks, conflict), list(cells.values()))

    def close(self):
        self.connection.close()


def _open_postgres(connection_text, parts):
    try:
        import psycopg2 as driver
    except ImportError:
        import psycopg as driver
    options = {"connect_timeout": TIMEOUT_SECONDS, "options": "-c timezone=UTC -c statement_timeout=%d" % (TIMEOUT_SECONDS * 1000)}
    connection = driver.connect(connection_text, **options) if connection_text else driver.connect(**parts, **options)
    cursor = connection.cursor()
    schema = os.environ.get("MONITOR_DB_SCHEMA", "tasker")
    cursor.execute(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns "
        "WHERE (table_schema = %s AND table_name IN ('executions', 'subtasks', 'process_metrics', 'events')) "
        "OR (table_name = 'pipeline_status' AND table_schema = ANY (current_schemas(false)))", (schema,))
    found = {}
    for place, table, column in cursor.fetchall():
        found.setdefault((place, table), set()).add(column)
    connection.commit()
    tables, columns = {}, {}
    for (place, table), names in sorted(found.items()):
        name = "executions" if table == "pipeline_status" and (schema, "executions") not in found else table
        tables[name], columns[name] = "%s.%s" % (place, table), names
    if "executions" not in tables:
        connection.close()
        raise RuntimeError("the database has no table %s.executions; run-archiver track migrate-schema makes it" % schema)
    return _Sql(connection, "%s", tables, columns, lambda c: c.rollback())


def _open_sqlite(path):
    import sqlite3
    if not os.path.exists(path):
        raise RuntimeError("there is no %s; run-archiver track migrate-schema makes it" % path)
    connection = sqlite3.connect(path, timeout=TIMEOUT_SECONDS, check_same_thread=False)
    columns = {}
    for table in _KEYS:
        columns[table] = {row[1] for row in connection.execute("PRAGMA table_info(%s)" % table)}
    if not columns["executions"]:
        raise RuntimeError("%s has no table executions; run-archiver track migrate-schema makes it" % path)
    return _Sql(connection, "?", {table: table for table in _KEYS}, columns, lambda c: c.rollback())


class _TooLarge(RuntimeError):
    pass


class _Http:
    """`run-archiver serve`: takes rows as they are in the spool. A row that was written before changes nothing."""

    ROWS_AT_ONCE = 50
    """Mostly: a service takes 1 MB, and a row of an end with its detail may have 100 kB."""

    def __init__(self, url):
        self.url = url.rstrip("/") + "/api/v1/reports"

    def write(self, rows):
        refused = []
        for at in range(0, len(rows), self.ROWS_AT_ONCE):
            refused += self._write_part(rows[at:at + self.ROWS_AT_ONCE])
        return refused

    def _write_part(self, part):
        """In halves where all of it is larger than a service takes at once."""
        try:
            answer = self._send({"rows": [{"t": table, "c": cells} for table, cells, _ in part]})
        except _TooLarge as error:
            if len(part) == 1:
                return [(part[0], str(error))]
            middle = len(part) // 2
            return self._write_part(part[:middle]) + self._write_part(part[middle:])
        return [(part[one["row"]], one.get("why")) for one in answer.get("refused", [])]

    def _send(self, body):
        """The service's answer. Another server may answer 200 to everything, as a page of sign-in does: then nothing is written. A redirect is
        not followed: it would turn the report into a question, and give the token to another host."""
        import urllib.error
        import urllib.request

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *words):
                return None

        headers = {"content-type": "application/json"}
        if os.environ.get("MONITOR_TOKEN"):
            headers["authorization"] = "Bearer " + os.environ["MONITOR_TOKEN"]
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.build_opener(Stay).open(request, timeout=TIMEOUT_SECONDS) as answer:
                return self._checked(answer.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            place = error.headers.get("location") if 300 <= error.code <= 399 else None
            if place:
                raise RuntimeError("%s redirects to %s: reports go to the address itself" % (self.url, place.split("?")[0][:200]))
            kind = _TooLarge if error.code == 413 else RuntimeError
            raise kind("%s answers %d: %s" % (self.url, error.code, error.read(300).decode("utf-8", "replace")))

    def _checked(self, text):
        try:
            answer = json.loads(text)
            if isinstance(answer["written"], int):
                return answer
        except (ValueError, KeyError, TypeError):
            pass
        raise RuntimeError("%s: there is no run-archiver at this address" % self.url)

    def close(self):
        pass


def _settings():
    """The connection text and, without one, its parts."""
    for prefix in ("MONITOR_DB_", "TASKER_DB_"):
        names = ("CONN", "HOST", "PORT", "NAME", "USER", "PASSWORD")
        given = {name: os.environ[prefix + name] for name in names if os.environ.get(prefix + name)}
        if given:
            break
    return given.get("CONN"), {
        "host": given.get("HOST", "localhost"), "port": int(given.get("PORT", 5432)), "dbname": given.get("NAME", "geodb"),
        "user": given.get("USER", "pipeline"), "password": given.get("PASSWORD", ""),
    }


def _open():
    text, parts = _settings()
    if text and text.startswith(("http://", "https://")):
        return _Http(text)
    if text and text.startswith("sqlite:"):
        return _open_sqlite(_sqlite_path(text))
    return _open_postgres(text, parts)


def _sqlite_path(text):
    return re.sub(r"^sqlite:(//(?=/))?", "", text)


class _Spool:
    """Rows that wait, one a line, in the file that the archiver's own programs use too."""

    def __init__(self):
        home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
        folder = os.environ.get("MONITOR_SPOOL_DIR") or os.path.join(home, "run-archiver")
        self.path = os.path.join(folder, "tracking-spool.jsonl")
        self.dropped = self.unkept = self.refused = 0

    def append(self, rows):
        """Beginnings and ends are kept even when there is no room. Whatever goes wrong here costs these rows only."""
        if not rows:
            return
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o750, exist_ok=True)
            kept = rows if self._has_room() else [row for row in rows if not row[2]]
            self.dropped += len(rows) - len(kept)
            rows = kept
            if kept:
                _append_at_name(self.path, "".join(_line_of(row) for row in kept))
        except Exception as error:
            self.unkept += len(rows)
            _warn("Failed to keep status: %s" % error)

    def _has_room(self):
        """Whether there is room for reports of progress; makes some where there is none: the oldest part gives up its own first."""
        if _size_of(self.path) > SPOOL_BYTES // SPOOL_PIECES:
            self._seal()
        parts = [_Part(path) for path in self._parts()]
        size = _size_of(self.path) + sum(part.waiting() for part in parts)
        for part in parts:
            if size <= SPOOL_BYTES:
                return True
            if not part.stripped:
                size -= self._strip(part)
        return size <= SPOOL_BYTES

    def _seal(self):
        """Ends the file that is appended to: what comes now begins another. The path of the part; None where nothing waits."""
        aside = "%s.replay-%s" % (self.path, uuid.uuid4())
        return aside if _quietly(os.rename, self.path, aside) else None

    def _strip(self, part):
        """Bytes that are free now."""
        try:
            before = part.waiting()
            given_up, size = part.strip()
            self.dropped += given_up
            return before - size
        except (OSError, ValueError):
            return 0  # it was replayed meanwhile, or the disk is full

    def refuse(self, rows):
        """Keeps rows that will never be taken, for a person to look at."""
        path = self.path + ".refused"
        for (table, cells, _), why in rows:
            self.refused += 1
            _warn("a row was refused, and is kept in %s: %s" % (path, why))
            try:
                if not os.path.exists(path) or os.path.getsize(path) < REFUSED_BYTES:
                    _append(path, json.dumps({"t": table, "c": cells}) + "\n")
            except Exception:
                pass  # it is told; there is no room for more

    def replay(self, write):
        """Hands what waits to `write`, the oldest first, in portions. What was written is noted in the file's name, so that a process which
        ends in the middle costs one portion at most. Raises what `write` raises; the rest waits."""
        self._sweep()
        for path in self._parts():
            self._replay_part(path, write)
        aside = self._seal()
        if aside is None:
            return
        try:
            self._replay_part(aside, write)
        except Exception:
            # Only where no new file was begun; else it waits under its own name, and is read at the next try.
            if _quietly(os.link, aside, self.path):
                _quietly(os.unlink, aside)
            raise

    def _sweep(self):
        """Removes what killed processes have left half written."""
        folder, name = os.path.split(self.path)
        for one in _list(folder):
            path = os.path.join(folder, one)
            if one.startswith(name + ".replay-") and one.endswith(".tmp") and _age_of(path) > 3600:
                _quietly(os.unlink, path)

    def _parts(self):
        """What earlier processes, in any language, have left, the oldest first."""
        folder, name = os.path.split(self.path)
        try:
            found = [os.path.join(folder, one) for one in os.listdir(folder)
                     if one.startswith(name + ".replay-") and not one.endswith(".tmp")]
            return sorted(found, key=os.path.getmtime)
        except OSError:
            return []  # another process was quicker, or there is no folder

    def _replay_part(self, path, write):
        part = _Part(path)
        try:
            lines = open(path, "rb")
        except OSError:
            return  # another process was quicker: what it held is in the database
        with lines:
            lines.seek(part.offset)
            while True:
                portion = list(itertools.islice(iter(lines.readline, b""), REPLAY_LINES))
                if not portion:
                    break
                rows = [row for row in (_row_of(line.decode("utf-8", "replace")) for line in portion) if row]
                if rows:
                    self.refuse(write(rows))
                moved = "%s.%d" % (part.bare, lines.tell())
                if _quietly(os.rename, path, moved):
                    path = moved
        _quietly(os.unlink, path)


_notices = itertools.count(1)


class _Part:
    """A part of a spool that is not appended to any more: `SPOOL.replay-ID`, with `.ends` where its reports of progress were given up, and
    with `.N` where its first N bytes are in the database. The archiver's own programs and R use the same names."""

    def __init__(self, path):
        self.path = path
        self.bare, stripped, offset = re.match(r"(.*\.replay-[^.]*(\.ends)?)(?:\.(\d+))?", path).groups()
        self.stripped, self.offset = stripped is not None, int(offset or 0)

    def waiting(self):
        return max(0, _size_of(self.path) - self.offset)

    def strip(self):
        """Gives up the reports of progress; the beginnings and ends that no newer one replaces stay, and an event in each execution that lost
        something says how much. How many were given up, and the bytes that are left. A kill or power cut leaves the old part, the new one, or
        both: the old one goes when the new one is on the disk."""
        newest, lost = {}, {}
        for _, (table, cells, passing) in self._rows():
            key = _key_of(table, cells)
            if passing:
                lost[key] = str(cells.get("run_id"))
            else:
                newest[key] = max(newest.get(key, 0), cells.get("revision") or 0)
        temporary, stripped = "%s.%d.tmp" % (self.path, os.getpid()), self.bare if self.stripped else self.bare + ".ends"
        _quietly(os.unlink, temporary)
        try:
            at = os.stat(self.path).st_mtime
            with open(temporary, "wb", opener=_open_own) as kept:
                for line, (table, cells, passing) in self._rows():
                    if not passing and newest[_key_of(table, cells)] == (cells.get("revision") or 0):
                        kept.write(line.rstrip(b"\n") + b"\n")
                kept.write("".join(_line_of(notice) for notice in _notices_of(list(lost.values()))).encode())
                kept.flush()
                os.fsync(kept.fileno())
            os.rename(temporary, stripped)
        except BaseException:
            _quietly(os.unlink, temporary)
            raise
        _quietly(os.utime, stripped, (at, at))
        _sync_folder(os.path.dirname(stripped))
        if stripped != self.path:
            _quietly(os.unlink, self.path)
        return len(lost), _size_of(stripped)

    def _rows(self):
        """Each line with its row."""
        with open(self.path, "rb") as lines:
            lines.seek(self.offset)
            for line in lines:
                row = _row_of(line.decode("utf-8", "replace"), every_table=True)
                if row:
                    yield line, row


def _key_of(table, cells):
    """What makes a row this one and no other. The keys of other programs' tables are not known here: each row is one of its own."""
    keys = _KEYS.get(table)
    return (table, tuple(str(cells.get(key)) for key in keys) if keys else json.dumps(cells, sort_keys=True))


def _notices_of(run_ids):
    """One event for each execution, with a number below every one that an execution gives its own."""
    now = time.time()
    for run_id in sorted(set(run_ids)):
        detail = json.dumps({"given_up": run_ids.count(run_id), "why": "the spool was full"})
        seq = -1 - int(now * 1000) * 1000 - next(_notices) % 1000
        yield "events", {"run_id": run_id, "seq": seq, "at": _time(now), "kind": "spool-full", "detail": detail}, False


def _line_of(row):
    table, cells, passing = row
    return json.dumps(dict({"t": table}, **({"x": 1} if passing else {}), c=cells)) + "\n"


def _list(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _age_of(path):
    """Seconds; 0 where it is gone."""
    try:
        return time.time() - os.path.getmtime(path)
    except OSError:
        return 0


def _size_of(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _row_of(line, every_table=False):
    try:
        row = json.loads(line)
        if (every_table or row["t"] in _KEYS) and isinstance(row["c"], dict):
            cells = {name: cell for name, cell in row["c"].items() if cell is None or isinstance(cell, (str, int, float))}
            return row["t"], cells, "x" in row
    except (ValueError, KeyError, TypeError):
        pass  # the end of a line that a kill cut short
    return None


def _open_own(path, flags):
    """Follows no link: another user may have put one there."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o640)


def _append(path, text):
    """Whether the file still has its name. Raises an OSError where the disk does not take all of it."""
    descriptor = _open_own(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        size = os.fstat(descriptor).st_size
        # After a line that a full disk or a kill cut short comes a new one.
        is_cut = size > 0 and os.pread(descriptor, 1, size - 1) not in (b"\n", b"")
        left = (("\n" if is_cut else "") + text).encode()
        while left:
            left = left[os.write(descriptor, left):]
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(path))
        except OSError:
            return False
    finally:
        os.close(descriptor)


def _append_at_name(path, text):
    """Again where another process renamed the file meanwhile: whoever reads the renamed one may have read it already. So a text may stand
    twice, and is never lost."""
    for _ in range(3):
        if _append(path, text):
            return


def _sync_folder(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quietly(act, *words):
    try:
        act(*words)
        return True
    except OSError:
        return False


class _Writer:
    """The background thread. It alone touches the database."""

    def __init__(self):
        self.spool, self.store, self.retry_at, self.replay_at = _Spool(), None, 0.0, 0.0
        self.wake, self.stop, self.turn = threading.Event(), False, threading.Lock()
        self.settled, self.asked, self.done, self.in_hand = threading.Condition(), 0, 0, []
        self.executions, self.extra, self.cpu, self.is_slow = [], [], None, False
        self.thread = threading.Thread(target=self._run, name="pipeline-tracker", daemon=True)
        self.thread.start()

    def _run(self):
        beat = time.monotonic()
        while not self.stop:
            self.wake.wait(FLUSH_SECONDS)
            self.wake.clear()
            asked = self.asked
            if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                beat = time.monotonic()
                self._beat()
            self._flush_safely()
            with self.settled:
                self.done, self.is_slow = asked, False
                self.settled.notify_all()
        self._flush_safely()

    def _flush_safely(self):
        """Whatever goes wrong with one report, such as a message that has no text: the thread goes on with the next."""
        try:
            self.flush()
        except Exception as error:
            _warn("Failed to update status: %s: %s" % (type(error).__name__, _words(error)))

    def settle(self, seconds):
        """Waits until everything so far is written or in the spool."""
        with self.settled:
            self.asked += 1
            asked = self.asked
            self.wake.set()
            self.is_slow = not self.settled.wait_for(lambda: self.done >= asked or not self.thread.is_alive(), seconds)

    def _beat(self):
        for execution in list(self.executions):
            with execution.lock:
                if not execution.alive():
                    continue
                execution.heartbeat, execution.changed = time.time(), True
                execution.memory, execution.peak, execution.cpu = self._usage(execution.peak)
                read, written = _io_bytes()
                self.extra.append(("process_metrics", {
                    "run_id": execution.run_id, "at": _time(execution.heartbeat), "cpu_percent": execution.cpu,
                    "memory_mb": execution.memory, "peak_memory_mb": execution.peak, "read_bytes": read, "write_bytes": written,
                    "rows_processed": execution.rows_processed, "open_files": _open_files(), "threads": _threads(),
                }, True))

    def _usage(self, peak):
        memory, most = _memory()
        if memory is None:
            return None, peak, None
        now, used = time.monotonic(), sum(os.times()[:2])
        before, self.cpu = self.cpu, (now, used)
        cpu = None if before is None else round((used - before[1]) / max(0.001, now - before[0]) * 100, 2)
        return memory, most, cpu

    def flush(self):
        with self.turn:
            rows = [row for execution in list(self.executions) for row in execution.rows()]
            extra, self.extra = self.extra, []
            rows += extra
            for execution in list(self.executions):
                # Out of the same list: another thread may add one to it just now.
                if not execution.alive() and not execution.changed:
                    self.executions.remove(execution)
            if rows:
                self.in_hand = rows
                self._write(rows)
                self.in_hand = []
            elif _has_children and time.monotonic() >= self.retry_at:
                self._replay()

    def _write(self, rows):
        if _leaves_to_parent or time.monotonic() < self.retry_at:
            self.spool.append(rows)
            return
        try:
            if self.store is None:
                self.store = _open()
            # What this process says does not wait for what others left, however much that is.
            self.spool.refuse(self.store.write(rows))
            self.in_hand = []
        except Exception as error:
            self.retry_at = self._failed(error)
            self.spool.append(rows)
            return
        self._replay()

    def _replay(self):
        if _leaves_to_parent or time.monotonic() < self.replay_at:
            return
        try:
            if self.store is None:
                self.store = _open()
            self.spool.replay(self.store.write)
        except Exception as error:
            self.replay_at = self._failed(error)  # what others left, and cannot be written, holds back no report of this process

    def _failed(self, error):
        """Ends the connection. When the next try is."""
        store, self.store = self.store, None
        _warn("Failed to update status: %s" % str(error).strip())
        try:
            if store:
                store.close()
        except Exception:
            pass
        return time.monotonic() + RETRY_SECONDS

    def close(self, wake=True):
        """Waits for the last rows, at most two seconds together with the wait for the end; what is not written then waits in the spool. A thread cannot be started any more when
        Python ends: the one that runs writes them. `wake`: not from a signal's handler, which may have come while the thread was woken."""
        self.stop = True
        if wake:
            self.wake.set()
        self.thread.join(0 if self.is_slow else LAST_FLUSH_SECONDS)
        rows = list(self.in_hand) if self.thread.is_alive() else []
        rows += [row for execution in list(self.executions) for row in execution.rows()]
        if rows:
            self.spool.append(rows)
            if self.thread.is_alive() and not self.spool.unkept:
                _warn("no answer in time: the last reports wait in %s" % self.spool.path)
        if self.spool.dropped:
            _warn("%d reports of progress were given up: %s was full" % (self.spool.dropped, self.spool.path))
        if self.spool.unkept:
            _warn("%d rows were given up: %s could not be written" % (self.spool.unkept, self.spool.path))


# --- the functions ---------------------------------------------------------------------------------------------------------------

_writer = None
_current = None
_exit_code = 0
_forked = False
_has_children = False
"""Whether this process has forked others, which may leave rows in the spool."""
_leaves_to_parent = False
"""Whether rows go to the spool alone. SQLite cannot be used in a process that was forked while it was open: what another thread of the parent held just
then, the forked process would wait for without end (https://sqlite.org/howtocorrupt.html, 2.6)."""
_watched = False


def _never_raise(function):
    """A failure of tracking is a warning, whatever it is."""
    def safe(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            _warn("Failed to update status: %s: %s" % (type(error).__name__, _words(error)))
            return None
    safe.__name__, safe.__doc__ = function.__name__, function.__doc__
    return safe


_OLD = {
    "script_name": "task_name", "total_tasks": "total_subtasks", "category": "stage", "current_task": "current_subtask",
    "task_status": "subtask_status", "task_percent": "subtask_percent", "task_message": "subtask_message",
    "task_items_total": "subtask_items_total", "task_items_complete": "subtask_items_complete",
    "task_percent_complete": "subtask_percent", "task_progress_message": "subtask_message",
}


def _renamed(given, extra=None):
    """Old names of parameters as today's."""
    names = dict(_OLD, **(extra or {}))
    result = {}
    for name, value in given.items():
        new = names.get(name, name)
        if new != name:
            _warn("the parameter %s is called %s now" % (name, new))
        result.setdefault(new, value)
    return result


def _say(message):
    _print("[%s] %s" % (datetime.now().strftime("%H:%M:%S"), _words(message)))


@_never_raise
def track_init(script_name=None, total_tasks=None, category=None, **names):
    """Begins an execution and returns its run id. New names: task_name, total_subtasks, stage; also script_path, log_path, log_file."""
    global _writer, _current, _forked
    _forked = False
    text, _ = _settings()
    if text == "off":
        return None
    names = _renamed(names)
    task = script_name if script_name is not None else names.get("task_name")
    path = names.get("script_path") or (os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c") else None)
    task = task or (os.path.basename(path) if path else "unknown_script.py")
    total = total_tasks if total_tasks is not None else names.get("total_subtasks")
    if _current is not None and _current.alive():
        _current.end("FINISHED", "ok")
    boot, ticks = _process_facts()
    _current = Execution(
        task, total, category or names.get("stage"), hostname=socket.gethostname(), process_id=os.getpid(), user_name=_user(),
        script_path=path, script_file=names.get("script_file") or (os.path.basename(path) if path else None),
        log_path=names.get("log_path"), log_file=names.get("log_file"), git_commit=_get_git_commit(),
        environment=_get_env_json(), parent_run_id=os.environ.get("RUN_ARCHIVER_RUN_ID"), boot_id=boot, process_start_ticks=ticks)
    if _writer is None:
        _writer = _Writer()
        _watch()
    _writer.executions.append(_current)
    _writer.wake.set()
    _print("Status tracking initialized: run_id=%s" % _current.run_id)
    return _current.run_id


@_never_raise
def track_status(status="RUNNING", current_subtask=None, subtask_name=None, subtask_status=None, overall_percent=None,
                 overall_message=None, subtask_percent=None, subtask_message=None, subtask_items_total=None,
                 subtask_items_complete=None, **old):
    """Reports how the execution stands. What is left out, or None, stays as it is."""
    if _current is None:
        return
    given = dict(current_subtask=current_subtask, subtask_name=subtask_name, subtask_status=subtask_status,
                 overall_percent=overall_percent, overall_message=overall_message, subtask_percent=subtask_percent,
                 subtask_message=subtask_message, subtask_items_total=subtask_items_total,
                 subtask_items_complete=subtask_items_complete)
    for name, value in _renamed(old, {"task_name": "subtask_name"}).items():
        if name in given and given[name] is None:
            given[name] = value
        elif name not in given:
            _warn("track_status has no parameter %s" % name)
    _current.report(status, **{name: KEEP if value is None else value for name, value in given.items()})
    if not _current.alive():
        track_flush()
    message = given["subtask_message"] or given["overall_message"]
    if message:
        _say(message)


@_never_raise
def track_finish(message="Script completed successfully"):
    """The end: FINISHED, and 100 %."""
    if _current is None:
        return
    with _current.lock:
        if _current.alive():
            _current.overall_message = message
        ended = _current.end("FINISHED", "ok", exit_code=0)
    if ended:
        track_flush()
    if ended and message:
        _say(message)


@_never_raise
def track_error(error_msg, error_detail=None):
    """The end: FAILED. Inside of an `except`, the traceback is the detail."""
    if _current is None:
        return
    if error_detail is None and sys.exc_info()[0] is not None:
        error_detail = traceback.format_exc()
    if _current.end("FAILED", "error", _words(error_msg), error_detail):
        _never_raise(_print)("ERROR: %s" % _words(error_msg), sys.stderr)
        track_flush()


@_never_raise
def track_task_progress(items_complete, items_total=None, message=None, **old):
    """How far the step in hand is; a message is shown, too. Costs a microsecond or two beside that; the thread writes twice a second."""
    if _current is None:
        return
    if old:
        old = _renamed(old, {"task_items_total": "items_total", "task_message": "message"})
        items_total, message = old.get("items_total", items_total), old.get("message", message)
    execution = _current
    with execution.lock:
        step = execution.open[-1] if execution.open else execution.shown
        plain = type(items_complete) is int and 0 <= items_complete <= MOST_ITEMS and (
            items_total is None or (type(items_total) is int and 0 <= items_total <= MOST_ITEMS))
        if step is None or not plain:
            execution.report("RUNNING", subtask_items_complete=items_complete,
                             subtask_items_total=KEEP if items_total is None else items_total,
                             subtask_message=KEEP if message is None else message)
        elif not execution.touch():
            return
        else:
            execution.completed(step, items_complete)
            step.percent = None
            if items_total is not None:
                step.total = items_total
            if message is not None:
                step.message = message
            execution.show(step)
    if message is not None:
        _say(message)


track_subtask_progress = track_task_progress


@_never_raise
def genter(message):
    """A step begins, inside the one that is open. The first call begins the execution."""
    if _forked or (_current is None and track_init() is None):
        return
    _current.enter(message)
    _wake(True)
    _say(message)


@_never_raise
def gexit():
    """The innermost open step is completed."""
    if _current is not None:
        _current.leave()
        _wake(True)


@_never_raise
def gmessage(message):
    """A word about the step in hand."""
    if _current is None:
        return
    with _current.lock:
        step = _current.open[-1] if _current.open else _current.shown
        if step is None:
            _current.report(overall_message=message)
        else:
            _current.report(subtask_message=message)
    _say(message)


class track_step:
    """`with track_step("loading"):` a step that is completed at the end of the block, and failed when the block raises."""

    def __init__(self, message):
        self.message = message

    def __enter__(self):
        genter(self.message)
        return self

    def __exit__(self, kind, error, trace):
        if _current is not None:
            _never_raise(_current.leave)(*(("done",) if kind is None else ("failed", "%s: %s" % (kind.__name__, _words(error)))))
            _wake(True)
        return False


@_never_raise
def track_flush(seconds=LAST_FLUSH_SECONDS):
    """Waits until everything so far is written or in the spool."""
    if _writer is not None:
        _writer.settle(seconds)


def _wake(now):
    if now and _writer is not None:
        _writer.wake.set()


def _watch():
    """Ends the execution with the process: at its normal end, by an exception, an exit code or a signal."""
    global _watched
    if _watched:
        return
    _watched = True
    atexit.register(_at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
    hook, leave = sys.excepthook, sys.exit

    def on_error(kind, error, trace):
        if _current is not None and kind is not KeyboardInterrupt:
            _never_raise(_current.end)("FAILED", "error", "%s: %s" % (kind.__name__, _words(error)),
                                       "".join(traceback.format_exception(kind, error, trace)), 1)
        elif _current is not None:
            _never_raise(_current.end)("CANCELLED", "signal", "Process terminated by SIGINT signal", None, 130)
        hook(kind, error, trace)

    def on_exit(code=None):
        if isinstance(code, (tuple, BaseException)):
            leave(code)
        if sys.version_info < (3, 8):
            _leaves(code)  # there an exception outlives its end in cycles
        raise _Exit(code)

    sys.excepthook, sys.exit = on_error, on_exit
    _watch_system_exit()
    for word in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, word, None)
        try:
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _on_signal)
        except ValueError:
            return  # not the main thread: the program handles its signals itself


def _leaves(code):
    """As the process really ends: the system keeps the last byte of a number. What a C long does not take is -1."""
    global _exit_code
    if isinstance(code, int):
        _exit_code = (int(code) if -2**63 <= code < 2**63 else -1) & 0xff if os.name == "posix" else int(code)
    else:
        _exit_code = 0 if code is None else 1


def _watch_system_exit():
    """The exit code of `raise SystemExit(3)` is seen from Python 3.12 on; before, nothing says it. That of sys.exit(3), exit(3) and quit(3) always is."""
    import builtins
    for name in ("exit", "quit"):
        known = getattr(builtins, name, None)
        if known is not None:
            setattr(builtins, name, _Quitter(known))
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return

    def on_raise(code, offset, error):
        if type(error) is SystemExit and threading.current_thread() is threading.main_thread():
            _leaves(error.code)

    def on_handled(code, offset, error):
        if type(error) is SystemExit and threading.current_thread() is threading.main_thread():
            _leaves(0)

    events = monitoring.events
    for tool in (4, 3):
        if monitoring.get_tool(tool) is None:
            monitoring.use_tool_id(tool, "pipeline_tracker")
            for event, act in ((events.RAISE, on_raise), (events.RERAISE, on_raise), (events.EXCEPTION_HANDLED, on_handled)):
                monitoring.register_callback(tool, event, act)
            monitoring.set_events(tool, events.RAISE | events.RERAISE | events.EXCEPTION_HANDLED)
            return


class _Exit(SystemExit):
    """What sys.exit raises. Nobody has caught it when it goes without a caller: the interpreter itself has taken it, and ends."""

    def __del__(self):
        try:
            sys._getframe(1)
        except ValueError:
            if threading.current_thread() is threading.main_thread():
                _leaves(self.code)


class _Quitter:
    """Python's exit and quit, as they were; the exit code is kept."""

    def __init__(self, quitter):
        self.quitter = quitter

    def __repr__(self):
        return repr(self.quitter)

    def __call__(self, code=None):
        try:
            self.quitter(code)
        except SystemExit:
            pass
        raise _Exit(code)


def _after_fork_in_parent():
    global _has_children
    _has_children = True


def _after_fork():
    """The thread that writes is not in a forked process, and the connection is its parent's: neither is touched here."""
    global _writer, _current, _forked, _has_children, _leaves_to_parent
    _KEPT.append(_writer)
    _leaves_to_parent = _leaves_to_parent or (_writer is not None and (_settings()[0] or "").startswith("sqlite:"))
    _writer, _current, _forked, _has_children = None, None, True, False
    for word in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, word, None)
        try:
            if number is not None and signal.getsignal(number) == _on_signal:
                signal.signal(number, signal.SIG_DFL)
        except ValueError:
            pass  # forked from another thread


_KEPT = []
"""Writers of a parent: what they hold is never closed by a forked process, because the parent still uses it."""


def _on_signal(number, frame):
    """As without tracking the signal ends the process; the end is recorded before."""
    if _current is not None:
        name = signal.Signals(number).name
        _never_raise(_current.end)("CANCELLED", "signal", "Process terminated by %s signal" % name, None, 128 + number)
    if _writer is not None:
        _never_raise(_writer.close)(wake=False)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _at_exit():
    if _current is not None and _current.alive():
        if _exit_code == 0:
            _current.end("FINISHED", "ok", exit_code=0)
        else:
            _current.end("FAILED", "error", "Process ended with exit code %d" % _exit_code, None, _exit_code)
    if _writer is not None:
        _never_raise(_writer.close)()


def _get_monitor_connection():
    """A connection of its own to the database of executions, for a script's own SQL, as the first version of this file gave it; None with a
    warning where there is none. The tracker does not use it."""
    try:
        text, parts = _settings()
        if text and text.startswith(("http://", "https://")):
            raise RuntimeError("MONITOR_DB_CONN is the address of a service, not of a database")
        if text == "off":
            return None
        return (_open_sqlite(_sqlite_path(text)) if text and text.startswith("sqlite:") else _open_postgres(text, parts)).connection
    except Exception as error:
        _warn("Cannot connect to monitor database: %s" % str(error).strip())
        return None


def _detect_task_stage(task_name):
    for stage in STAGES:
        if task_name.startswith(stage + "_"):
            return stage
    return "UNKNOWN"


def _get_git_commit():
    try:
        answer = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=1, check=True)
        return answer.stdout.strip() or None
    except Exception:
        return None


def _get_env_json():
    return json.dumps({name: _text(os.environ[name]) for name in ENVIRONMENT if os.environ.get(name)})


def _user():
    try:
        import getpass
        return getpass.getuser()
    except Exception:
        return os.environ.get("USER", "unknown")


def _open_files():
    """None where the system does not say."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # without the one that is open to look
    except OSError:
        return None


def _memory():
    """What this process holds, and held at most, in MB; None where the system does not say."""
    try:
        import resource
        with open("/proc/self/statm") as statm:
            memory = int(statm.read().split()[1]) * resource.getpagesize() // (1024 * 1024)
        return memory, max(memory, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    except Exception:
        return None, None


def _threads():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
    except Exception:
        return None


def _io_bytes():
    try:
        with open("/proc/self/io") as io:
            counts = dict(line.split(": ") for line in io)
        return int(counts["read_bytes"]), int(counts["write_bytes"])
    except Exception:
        return None, None


def _process_facts():
    """The boot and the start of this process: they tell it from a later one with the same number."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as boot, open("/proc/self/stat") as stat:
            return boot.read().strip(), int(stat.read().rsplit(")", 1)[1].split()[19])
    except Exception:
        return None, None

# Reports the execution of an R pipeline to the run record archiver's database.
#
#   source("track_status.R")
#   track_init("DAILY_01_BDC_Locations.R", total_tasks = 112)
#   genter("loading {file}"); gexit(); track_finish("Processed {n} states")
#
# One file, base R only. Each call sends one JSON line to `run-archiver track pipe` (another command: option or variable
# RUN_ARCHIVER_TRACK), which queues, writes and keeps what cannot be written. Without run-archiver in the PATH:
# * MONITOR_DB_CONN=http://host:port (or https://), with MONITOR_TOKEN: over HTTP, by curl if it is in the PATH, else (http only) by R itself.
# * else to PostgreSQL directly, by RPostgres or RPostgreSQL, as MONITOR_DB_* says; MONITOR_DB_CONN=off: nowhere.
#   What a service or database that is away does not take waits in the spool file (MONITOR_SPOOL_DIR, else ~/.local/state/run-archiver).
# `{x}` in a message is evaluated where the function is called, by glue if it is installed. No call raises an error into the pipeline, or
# waits longer than 5 s: what goes wrong is a message on standard error, once.

.track <- new.env()
.track$con <- NULL
.track$run_id <- NULL
.track$warned <- character()
.track$pending <- NULL
.track$sent_at <- 0
# Seconds between two reports of progress.
.track$every <- 0.2

# --- the functions ---------------------------------------------------------------------------------------------------------------

#' Begins an execution. Returns its run id, invisibly; NULL where nothing can be tracked.
#' New names: task_name, total_subtasks, stage; the old ones stay.
track_init <- function(script_name = NULL, total_tasks = NULL, category = NULL, task_name = NULL,
                       total_subtasks = NULL, stage = NULL, script_path = NULL, log_path = NULL, log_file = NULL) {
  .track_safely({
    if (!is.null(.track$run_id)) .track_send(op = "finish")
    name <- .track_or(script_name, .track_or(task_name, .track_script()))
    .track$run_id <- .track_uuid()
    .track$error_before <- geterrmessage()
    .track$open <- .track_open()
    path <- .track_or(script_path, .track_script(FALSE))
    info <- Sys.info()
    .track_send(
      op = "init", run_id = .track$run_id, task_name = name,
      total_subtasks = .track_or(total_subtasks, .track_or(total_tasks, getOption("pipeline_total_tasks"))),
      stage = .track_or(stage, .track_or(category, .track_stage(name))), type = "R",
      script_path = path, script_file = if (!is.null(path)) basename(path), log_path = log_path, log_file = log_file,
      hostname = info[["nodename"]], process_id = Sys.getpid(), user_name = info[["user"]], git_commit = .track_commit())
    options(pipeline_run_id = .track$run_id)
    if (.track$open) message(sprintf("Status tracking initialized: run_id=%s", .track$run_id))
  })
  invisible(.track$run_id)
}

#' Reports how the execution stands. What is left out, or NULL, stays as it is. sub_state: THROTTLED, BLOCKED or PAUSED, until the next report.
track_status <- function(status = "RUNNING", current_subtask = NULL, subtask_name = NULL, subtask_status = NULL,
                         overall_percent = NULL, overall_message = NULL, subtask_percent = NULL, subtask_message = NULL,
                         subtask_items_total = NULL, subtask_items_complete = NULL, current_task = NULL, task_name = NULL,
                         task_status = NULL, task_percent = NULL, task_message = NULL, task_items_total = NULL,
                         task_items_complete = NULL, sub_state = NULL, .envir = parent.frame()) {
  .track_safely({
    if (is.null(.track$run_id)) return(invisible(NULL))
    subtask_message <- .track_glue(.track_or(subtask_message, task_message), .envir)
    overall_message <- .track_glue(overall_message, .envir)
    .track_send(
      op = "status", status = status, sub_state = sub_state, current_subtask = .track_or(current_subtask, current_task),
      subtask_name = .track_glue(.track_or(subtask_name, task_name), .envir),
      subtask_status = .track_or(subtask_status, task_status), overall_percent = overall_percent,
      overall_message = overall_message, subtask_percent = .track_or(subtask_percent, task_percent),
      subtask_message = subtask_message, subtask_items_total = .track_or(subtask_items_total, task_items_total),
      subtask_items_complete = .track_or(subtask_items_complete, task_items_complete))
    .track_say(.track_or(subtask_message, overall_message))
    if (any(toupper(status) %in% c("FINISHED", "FAILED", "CANCELLED"))) .track$run_id <- NULL
  })
  invisible(NULL)
}

#' The end: FINISHED, and 100 %.
track_finish <- function(message = "Script completed successfully", .envir = parent.frame()) {
  .track_safely({
    if (is.null(.track$run_id)) return(invisible(NULL))
    text <- .track_glue(message, .envir)
    .track_send(op = "finish", message = text)
    .track$run_id <- NULL
    .track_say(text)
  })
  invisible(NULL)
}

#' The end: FAILED.
track_error <- function(error_msg, error_detail = NULL) {
  .track_safely({
    if (is.null(.track$run_id)) return(invisible(NULL))
    text <- if (inherits(error_msg, "condition")) conditionMessage(error_msg) else paste(as.character(error_msg), collapse = " ")
    .track_send(op = "error", message = text, detail = if (!is.null(error_detail)) paste(as.character(error_detail), collapse = "\n"))
    .track$run_id <- NULL
    message(sprintf("ERROR: %s", text))
  })
  invisible(NULL)
}

#' A step begins, inside the one that is open. The first call begins the execution.
genter <- function(message, .envir = parent.frame()) {
  .track_safely({
    text <- .track_glue(message, .envir)
    if (is.null(.track$run_id)) track_init()
    .track_send(op = "enter", message = text)
    .track_say(text)
  })
  invisible(NULL)
}

#' The innermost open step is completed.
gexit <- function() {
  .track_safely(if (!is.null(.track$run_id)) .track_send(op = "exit"))
  invisible(NULL)
}

#' A word about the step in hand.
gmessage <- function(message, .envir = parent.frame()) {
  .track_safely({
    text <- .track_glue(message, .envir)
    if (!is.null(.track$run_id)) .track_send(op = "message", message = text)
    .track_say(text)
  })
  invisible(NULL)
}

#' How far the step in hand is; a message is shown, too. Sent five times a second at most, over HTTP once; the last one is never lost.
track_task_progress <- function(items_complete, items_total = NULL, message = NULL, .envir = parent.frame()) {
  .track_safely({
    if (is.null(.track$run_id)) return(invisible(NULL))
    text <- .track_glue(message, .envir)
    .track$pending <- list(complete = items_complete, total = items_total, message = text)
    now <- proc.time()[["elapsed"]]
    if (now - .track$sent_at >= .track$every || identical(items_complete, items_total)) {
      .track$sent_at <- now
      .track_pending()
    }
    .track_say(text)
  })
  invisible(NULL)
}
track_subtask_progress <- track_task_progress

# What describes a script, as the first version of this file called it.
detect_task_stage <- function(task_name) .track_stage(task_name)
get_script_name <- function() .track_script()
get_git_commit <- function() .track_commit()
get_env_json <- function() .track_environment()

# --- below: how it is sent ---------------------------------------------------------------------------------------------------------

.track_or <- function(a, b) if (is.null(a)) b else a

.track_warn <- function(text) {
  if (text %in% .track$warned) return(invisible(NULL))
  .track$warned <- c(.track$warned, text)
  base::message("Warning: ", text)
}

# Evaluates, and turns an error into a warning. `return` inside returns from the caller.
.track_safely <- function(expr) {
  tryCatch(expr, error = function(e) .track_warn(paste("Failed to update status:", conditionMessage(e))))
}

.track_say <- function(text) if (!is.null(text)) cat(sprintf("[%s] %s\n", format(Sys.time(), "%H:%M:%S"), text))

.track_pending <- function() {
  p <- .track$pending
  .track$pending <- NULL
  if (is.null(p)) return(invisible(NULL))
  .track_send(op = "progress", items_complete = p$complete, items_total = p$total, message = p$message)
}

# `{x}` is evaluated in the frame of the caller; a message whose braces cannot be evaluated stays as it is.
.track_glue <- function(text, envir) {
  if (is.null(text)) return(NULL)
  text <- paste(as.character(text), collapse = " ")
  if (!grepl("{", text, fixed = TRUE)) return(text)
  tryCatch({
    if (requireNamespace("glue", quietly = TRUE)) return(as.character(glue::glue(text, .envir = envir)))
    found <- gregexpr("\\{[^{}]*\\}", text)
    regmatches(text, found) <- lapply(regmatches(text, found), function(parts) {
      vapply(parts, function(part) {
        value <- eval(parse(text = substr(part, 2, nchar(part) - 1)), envir)
        paste(as.character(value), collapse = ", ")
      }, "")
    })
    text
  }, error = function(e) text)
}

# What looks like a secret is masked before it leaves R.
.track_mask <- function(text) {
  text <- enc2utf8(as.character(text))
  masks <- c("\\b([a-z][a-z0-9+.-]{0,30}://[^\\s/:@'\"]*):[^\\s/'\"]*@" = "\\1:[secret]@",
             "\\b(Basic|Bearer|Digest)\\s+[A-Za-z0-9+/=_.~-]{8,}" = "\\1 [secret]",
             "((?:password|passwd|pwd|secret|token|api_?key)[\"']?\\s*[=:]\\s*)(\"[^\"]*\"|'[^']*'|[^\\s,;&}]+)" = "\\1[secret]")
  # "basic statistics" are no secret.
  for (pattern in names(masks)) text <- gsub(pattern, masks[[pattern]], text, perl = TRUE, ignore.case = !grepl("Basic", pattern))
  text
}

.track_json_text <- function(text) {
  text <- enc2utf8(as.character(text))
  for (pair in list(c("\\", "\\\\"), c("\"", "\\\""), c("\n", "\\n"), c("\r", "\\r"), c("\t", "\\t")))
    text <- gsub(pair[1], pair[2], text, fixed = TRUE)
  paste0("\"", gsub("[[:cntrl:]]", " ", text), "\"")
}

.track_json <- function(fields) {
  fields <- fields[!vapply(fields, is.null, TRUE)]
  fields <- fields[vapply(fields, function(v) length(v) > 0 && !is.na(v[[1]]), TRUE)]
  values <- vapply(fields, function(v) {
    # What is no number in JSON is a text: it is refused by its name, and the rest of the report counts.
    if (is.numeric(v) && is.finite(v[[1]])) format(v[[1]], scientific = FALSE, digits = 15, trim = TRUE) else .track_json_text(v[[1]])
  }, "")
  paste0("{", paste(sprintf("\"%s\":%s", names(fields), values), collapse = ","), "}")
}

.track_send <- function(...) {
  fields <- lapply(list(...), function(v) if (is.character(v)) .track_mask(v) else v)
  if (!identical(fields$op, "progress")) .track_pending()
  if (!isTRUE(.track$open)) return(invisible(NULL))
  if (!is.null(.track$to)) return(.track_report(fields))
  tryCatch({
    writeLines(.track_json(fields), .track$con)
    flush(.track$con)
  }, error = function(e) {
    .track$open <- FALSE
    .track_warn(paste("Tracking ended:", conditionMessage(e)))
  })
}

# Opens the pipe or the database. Whether anything can be reported.
.track_open <- function() {
  if (!is.null(.track$con) || !is.null(.track$to)) return(TRUE)
  where <- .track_setting("CONN", "")
  command <- getOption("run_archiver_track", Sys.getenv("RUN_ARCHIVER_TRACK", ""))
  if (command == "" && Sys.which("run-archiver") != "") command <- "run-archiver track pipe"
  if (command != "") {
    .track$con <- pipe(command, "w")
  } else if (where == "off") {
    return(FALSE)
  } else if (grepl("^https?://", where)) {
    if (!.track_http_open(where)) return(FALSE)
  } else if (!.track_database_open(where)) {
    .track_warn("neither run-archiver nor a package for a database of executions is there: nothing is tracked")
    return(FALSE)
  }
  .track_watch_end()
  .track_watch_quit()
  reg.finalizer(.track, function(e) .track_at_exit(), onexit = TRUE)
  TRUE
}

# R calls `.Last` at the end of a script and by `quit`, not after an error or an interrupt (Ctrl-C, SIGINT): what tells them apart. One that the script
# has is called by this one; one that it makes later leaves an interrupt unseen.
.track_watch_end <- function() {
  global <- globalenv()
  before <- get0(".Last", global, inherits = FALSE)
  if (inherits(before, "track_last")) return(invisible(NULL))
  last <- function() {
    .track$ended_well <- TRUE
    if (is.function(before)) before()
  }
  assign(".Last", structure(last, class = "track_last"), global)
}
.track_owns_last <- function() inherits(get0(".Last", globalenv(), inherits = FALSE), "track_last")

# `quit`, `q` and what saves the workspace, put in the place of base's own: packages call those. They do what R's own do; the exit code is kept for the
# end of the execution. They hold all that they need: a script may remove everything from its workspace. Where R does not let them, its own stay.
.track_watch_quit <- function() {
  for (name in c("quit", "q")) .track_in_base(name, function(own, track) function(save = "default", status = 0, runLast = TRUE) {
    # Not run by an end: a `quit` that R refuses is an error, and ends nothing.
    on.exit(track$ended_well <- track$status <- NULL)
    # The system keeps the last byte; R takes NA for 0.
    code <- suppressWarnings(tryCatch(as.integer(status)[[1]], error = function(e) 0L))
    track$status <- if (is.na(code)) 0L else bitwAnd(code, 255L)
    track$ended_well <- TRUE
    own(save = save, status = status, runLast = runLast)
  })
  # R calls it at an end only, and it closes every connection, also the one that the end is reported by.
  .track$at_save <- function() {
    if (is.null(.track$status)) .track$signal <- .track_signal()
    .track_at_exit()
  }
  .track_in_base("sys.save.image", function(own, track) function(name) {
    tryCatch(track$at_save(), error = function(e) NULL)
    own(name)
  })
}
.track_in_base <- function(name, make) {
  base <- baseenv()
  now <- get(name, base)
  own <- .track_or(attr(now, "track_own"), now)
  made <- make(own, .track)
  environment(made) <- list2env(list(own = own, track = .track), parent = base)
  tryCatch({
    unlockBinding(name, base)
    assign(name, structure(made, track_own = own), base)
    lockBinding(name, base)
  }, error = function(e) NULL)
}

# The signal because of which R saves the workspace without a `quit`: SIGUSR1 runs `.Last` before, SIGUSR2 does not. NULL where R does so at each end.
.track_signal <- function() {
  words <- commandArgs()
  saves <- "--save" %in% words[seq_len(match("--args", words, length(words) + 1) - 1)]
  if (saves || interactive()) return(NULL)
  if (isTRUE(.track$ended_well) || !.track_owns_last()) "SIGUSR1" else "SIGUSR2"
}

# The script has ended: by a signal, by an exit code, by an error, when R has a new error message, by an interrupt, or normally.
.track_at_exit <- function() {
  .track_safely({
    if (isTRUE(.track$closed)) return(invisible(NULL))
    .track$closed <- TRUE
    if (!is.null(.track$run_id)) {
      text <- geterrmessage()
      status <- .track_or(.track$status, 0)
      failed <- !identical(text, .track$error_before)
      if (!is.null(.track$signal)) .track_send(op = "cancel", signal = .track$signal)
      else if (status != 0) .track_send(op = "error", message = if (failed) trimws(text) else sprintf("Script ended with exit code %d", status), exit_code = status)
      else if (failed && !isTRUE(.track$ended_well)) .track_send(op = "error", message = trimws(text))
      else if (isTRUE(.track$ended_well) || !.track_owns_last()) .track_send(op = "finish", message = "Script completed")
      else .track_send(op = "cancel", signal = "SIGINT")
    }
    if (!is.null(.track$to)) .track_last_replay()
    if (.track$dropped > 0) .track_warn(sprintf("%d rows were given up: there was no room to keep them", .track$dropped))
    if (!is.null(.track$con)) close(.track$con)
    if (!is.null(.track$db)) DBI::dbDisconnect(.track$db)
  })
}

.track_last_replay <- function() {
  now <- .track_clock()
  if (now < .track$retry_at || now < .track$replay_at) return(invisible(NULL))
  .track$deadline <- now + 5
  .track_try(.track_replay(now + .track$last_seconds))
}

.track_setting <- function(name, default) {
  for (prefix in c("MONITOR_DB_", "TASKER_DB_")) {
    value <- Sys.getenv(paste0(prefix, name), "")
    if (value != "") return(value)
  }
  default
}

# --- without run-archiver: rows to a service or a database -----------------------------------------------------------------------------

# Each report is sent as whole rows with a revision that counts up, in the form of the spool file: a row that comes late or twice
# changes nothing, and whoever reports next, in any language, may write what waits in the file.

.track$dropped <- 0
.track$spool_bytes <- 50 * 1024^2
.track$notices <- 0
# A service takes 1 MB, and 1000 rows, at once.
.track$body_bytes <- 900000
.track$answer_bytes <- 4 * 1024^2
.track$portion <- 500
# Seconds of a call that go to what waits in the spool, beside its own report; and in all when the script ends.
.track$replay_seconds <- 1
.track$last_seconds <- 4

.track_spool_file <- function() {
  folder <- Sys.getenv("MONITOR_SPOOL_DIR", "")
  if (folder == "") folder <- file.path(Sys.getenv("XDG_STATE_HOME", "~/.local/state"), "run-archiver")
  path.expand(file.path(folder, "tracking-spool.jsonl"))
}

.track_http_open <- function(url) {
  curl <- unname(Sys.which("curl"))
  if (curl == "" && !grepl("^http://", url)) {
    .track_warn("reports over https need curl in the PATH: nothing is tracked")
    return(FALSE)
  }
  .track$to <- list(url = sub("/+$", "", url), curl = curl, spool = .track_spool_file(), post = .track_post_http)
  .track$every <- 1
  .track$retry_at <- .track$replay_at <- 0
  TRUE
}

# The database is connected to with the first report: it may be away now.
.track_database_open <- function(where) {
  driver <- Filter(function(name) requireNamespace(name, quietly = TRUE), c("RPostgres", "RPostgreSQL"))
  if (length(driver) == 0 || grepl("^sqlite:", where)) return(FALSE)
  .track$to <- list(url = where, driver = driver[[1]], spool = .track_spool_file(), post = .track_post_database,
                    schema = gsub("[^A-Za-z0-9_]", "", Sys.getenv("MONITOR_DB_SCHEMA", "tasker")))
  .track$retry_at <- .track$replay_at <- 0
  TRUE
}

.track_now <- function() format(Sys.time(), "%Y-%m-%d %H:%M:%OS3", tz = "UTC")

.track_report <- function(f) {
  f <- .track_checked(f)
  at <- .track_now()
  if (f$op == "init") {
    .track$row <- c(.track_begun(f), list(execution_start = at))
    .track$row <- .track$row[!vapply(.track$row, is.null, TRUE)]
    .track$steps <- list()
    .track$shown <- NULL
    .track$revision <- 0
  } else {
    set <- .track_changes(f)
    if (is.null(set)) return(invisible(NULL))
    # A clock that was set back ends nothing before it began.
    if (.track_ended(set)) set$execution_end <- max(at, .track$row$execution_start)
    .track$row[names(set)] <- set
  }
  # Above what signs of life between two reports have counted up, one in 15 s.
  elapsed <- proc.time()[["elapsed"]]
  .track$revision <- .track$revision + 2 + floor(elapsed - .track_or(.track$reported_at, elapsed))
  .track$reported_at <- elapsed
  .track$row[c("last_update", "progress_at", if (!is.null(.track$beat)) "heartbeat_at")] <- at
  .track$row$revision <- .track$revision
  steps <- .track_report_steps(f, at)
  passing <- !(f$op %in% c("init", "finish", "error", "cancel")) && !.track_ended(.track$row)
  if (.track_ended(.track$row)) unlink(.track$beat)
  .track_write(c(.track_line("executions", .track$row, passing), vapply(steps, function(step) {
    .track_line("subtasks", step, is.null(step$ended_at))
  }, "")), c(passing, vapply(steps, function(step) is.null(step$ended_at), TRUE)))
  if (f$op == "init") .track_beat()
  invisible(NULL)
}

# The steps that a report changes: the innermost one, and at the end all that are open.
.track_report_steps <- function(f, at) {
  open <- length(.track$steps)
  touch <- function(i, ...) {
    said <- list(...)
    said <- said[!vapply(said, is.null, TRUE)]
    if (!is.null(said$ended_at)) said$ended_at <- max(at, .track$steps[[i]]$started_at)
    .track$steps[[i]][names(said)] <- said
    .track$steps[[i]][c("updated_at", "revision")] <- list(at, .track$revision)
    .track$shown <- .track$steps[[i]]
  }
  if (f$op == "enter") {
    above <- if (open > 0) .track$steps[[open]]$seq
    .track$steps[[open + 1]] <- list(run_id = .track$row$run_id, seq = .track$entered, name = f$message, state = "running",
                                     started_at = at, depth = open, parent_seq = above)
    return(list(touch(open + 1)))
  }
  said <- if (f$op == "status") .track_status_steps(f, at) else list()
  open <- length(.track$steps)
  if (f$op == "progress" && open == 0) {
    # Without a step it is about the task, or about the step that ended last.
    f <- list(subtask_name = if (is.null(.track$shown)) .track$row$task_name, subtask_message = f$message,
              subtask_items_complete = f$items_complete, subtask_items_total = f$items_total)
    return(.track_status_steps(f, at))
  }
  if (f$op %in% c("message", "progress") && open > 0)
    return(list(touch(open, message = f$message, items_complete = f$items_complete, items_total = f$items_total,
                      percent = .track_share(f$items_complete, f$items_total))))
  over <- if (f$op == "exit") open else if (.track_ended(.track$row)) rev(seq_len(open))
  failed <- !identical(f$op, "exit") && !identical(.track$row$execution_status, "FINISHED")
  changed <- lapply(over[over > 0], function(i) {
    if (failed) touch(i, state = "failed", ended_at = at) else touch(i, state = "done", ended_at = at, percent = 100)
  })
  if (length(changed) > 0) .track$steps <- .track$steps[seq_len(open - length(changed))]
  if (f$op == "status" && length(changed) > 0) .track$row$subtask_status <- if (failed) "FAILED" else "COMPLETED"
  c(said, changed)
}

# The steps that a status changes, as `run-archiver track` takes it: another number or name begins a new step, and the one before it is completed.
.track_status_steps <- function(f, at) {
  said <- f[intersect(names(f), c("current_subtask", "subtask_name", "subtask_status", "subtask_percent", "subtask_message",
                                  "subtask_items_total", "subtask_items_complete"))]
  if (all(vapply(said, is.null, TRUE))) return(list())
  mark <- list(updated_at = at, revision = .track$revision)
  open <- length(.track$steps)
  step <- if (open > 0) .track$steps[[open]] else .track$shown
  number <- f$current_subtask
  name <- f$subtask_name
  is_same <- !is.null(step) && (is.null(number) || number == .track$entered) &&
    (is.null(name) || identical(name, step$name) || (!is.null(number) && is.null(step$ended_at)))
  before <- list()
  if (!is_same) {
    before <- lapply(rev(.track$steps), function(one) utils::modifyList(one, c(mark, list(state = "done", ended_at = at, percent = 100))))
    if (is.null(name)) name <- .track_or(step$name, "")
    .track$entered <- .track_or(number, .track$entered + 1)
    .track$ended <- max(0, .track$entered - 1)
    step <- list(run_id = .track$row$run_id, seq = .track$entered, name = name, state = "running", started_at = at, depth = 0)
  } else if (!is.null(name)) step$name <- name
  step <- utils::modifyList(step, c(mark, list(message = f$subtask_message, items_total = f$subtask_items_total)))
  if (!is.null(f$subtask_items_complete)) step[c("items_complete", "percent")] <- list(f$subtask_items_complete, NULL)
  if (!is.null(f$subtask_percent)) step$percent <- f$subtask_percent
  if (is.null(step$percent)) step$percent <- .track_share(step$items_complete, step$items_total)
  word <- f$subtask_status
  if (!is.null(word) && is.null(step$ended_at)) {
    step$state <- c(NOT_STARTED = "started", RUNNING = "running", COMPLETED = "done", FAILED = "failed")[[word]]
    if (word %in% c("COMPLETED", "FAILED")) {
      step$ended_at <- max(at, step$started_at)
      .track$ended <- .track$ended + 1
      if (word == "COMPLETED") step$percent <- 100
    }
  }
  others <- if (is_same && open > 0) .track$steps[-open] else list()
  .track$steps <- if (is.null(step$ended_at)) c(others, list(step)) else others
  .track$stack <- vapply(.track$steps, function(one) one$name, "")
  .track$shown <- step
  shows <- list(current_subtask = .track$entered, subtask_name = step$name, subtask_percent_complete = step$percent,
                subtask_status = c(started = "NOT_STARTED", running = "RUNNING", done = "COMPLETED", failed = "FAILED")[[step$state]])
  .track$row[c("current_subtask", "subtask_name", "subtask_status")] <- shows[c("current_subtask", "subtask_name", "subtask_status")]
  if (!is.null(step$percent)) .track$row$subtask_percent_complete <- step$percent
  c(before, list(step))
}

# One row as a line of the spool. A column that was cleared is null.
.track_line <- function(table, cells, passing) {
  cells <- cells[!vapply(cells, is.null, TRUE)]
  values <- vapply(cells, function(v) {
    if (is.na(v[[1]])) "null"
    else if (is.numeric(v)) format(v[[1]], scientific = FALSE, digits = 15, trim = TRUE) else .track_json_text(v[[1]])
  }, "")
  sprintf("{\"t\":\"%s\",%s\"c\":{%s}}", table, if (passing) "\"x\":1," else "",
          paste(sprintf("\"%s\":%s", names(cells), values), collapse = ","))
}

# Sends lines, then of what waits in the spool as much as a second allows; or keeps the lines there, without a new try for 30 s.
.track_write <- function(lines, passing) {
  began <- .track_clock()
  if (began < .track$retry_at) return(.track_keep(lines, passing))
  .track$deadline <- began + 5
  if (!.track_try(.track_post_rows(lines))) {
    .track$retry_at <- .track_next_try()
    return(.track_keep(lines, passing))
  }
  # A replay that fails holds back no report.
  if (began >= .track$replay_at && !.track_try(.track_replay(began + .track$replay_seconds))) .track$replay_at <- .track_next_try()
  invisible(NULL)
}

.track_clock <- function() proc.time()[["elapsed"]]

.track_next_try <- function() {
  seconds <- suppressWarnings(as.numeric(Sys.getenv("MONITOR_RETRY_SECONDS", "30")))
  .track_clock() + if (is.na(seconds)) 30 else seconds
}

# Whether it could be done.
.track_try <- function(expr) {
  tryCatch({
    expr
    TRUE
  }, error = function(e) {
    .track_warn(paste("Failed to update status:", conditionMessage(e)))
    FALSE
  })
}

.track_keep <- function(lines, passing) {
  path <- .track$to$spool
  tryCatch(suppressWarnings({
    dir.create(dirname(path), recursive = TRUE, showWarnings = FALSE, mode = "0750")
    # Beginnings and ends are kept even when there is no room.
    kept <- if (.track_room(path)) lines else lines[!passing]
    .track$dropped <- .track$dropped + length(lines) - length(kept)
    if (length(kept) > 0) .track_append(path, kept)
  }), error = function(e) {
    .track$dropped <- .track$dropped + length(lines)
    .track_warn(paste("Failed to keep status:", conditionMessage(e)))
  })
  invisible(NULL)
}

# Again where another process renamed the file meanwhile: whoever reads the renamed one may have read it already. So lines may stand twice, and
# are never lost. Raises an error where they cannot be kept.
.track_append <- function(path, lines) {
  bytes <- charToRaw(.track_block(lines))
  for (i in 1:10) {
    # After a line that a full disk cut short comes a new one.
    cut <- .track_tail(path, 1)
    file <- file(path, "ab")
    tryCatch(writeBin(if (length(cut) > 0 && cut[[1]] != charToRaw("\n")) c(charToRaw("\n"), bytes) else bytes, file), finally = close(file))
    # Whole, and at the beginning of a line: another process may have written a part of its own line before it.
    end <- .track_tail(path, length(bytes) + 2^20)
    # Before the first byte that was read stands the beginning of the file, or nobody knows what.
    if (isTRUE(attr(end, "whole"))) end <- c(charToRaw("\n"), end)
    at <- grepRaw(bytes, end, fixed = TRUE, all = TRUE)
    if (any(end[at[at > 1] - 1] == charToRaw("\n"))) return(invisible(NULL))
  }
  stop(sprintf("%s cannot be written to", path))
}

# Lines as one text, whole pages where it is longer than one: R hands a file on in pages, and two processes that append at once would part their lines
# at the page. Blanks between a name and its value say nothing.
.track_block <- function(lines) {
  size <- sum(nchar(lines, "bytes") + 1)
  if (size > 4096 && size %% 4096 > 0) lines[[1]] <- sub("\"c\":", paste0("\"c\":", strrep(" ", 4096 - size %% 4096)), lines[[1]], fixed = TRUE)
  paste0(lines, "\n", collapse = "")
}

# The last bytes of a file, and whether it begins with them; none where there is no file.
.track_tail <- function(path, count) {
  size <- file.size(path)
  if (is.na(size) || size == 0) return(raw())
  file <- tryCatch(suppressWarnings(file(path, "rb")), error = function(e) NULL)
  if (is.null(file)) return(raw())
  on.exit(close(file))
  seek(file, max(0, size - count))
  structure(readBin(file, "raw", count + 2^16), whole = size <= count)
}

.track_size <- function(path) sum(file.size(path), na.rm = TRUE)

# The parts of a spool that are not appended to any more, the oldest first: `SPOOL.replay-ID`, with `.ends` where its reports of progress
# were given up, and with `.N` where its first N bytes are in the database. The archiver's own programs and Python use the same names.
.track_parts <- function(path) {
  paths <- list.files(dirname(path), full.names = TRUE)
  paths <- paths[startsWith(basename(paths), paste0(basename(path), ".replay-")) & !endsWith(paths, ".tmp")]
  if (length(paths) == 0) return(data.frame())
  facts <- file.info(paths, extra_cols = FALSE)
  after <- sub("^.*\\.replay-[^.]*", "", paths)
  number <- suppressWarnings(as.numeric(sub("^.*\\.", "", after)))
  parts <- data.frame(path = paths, size = facts$size, at = facts$mtime, offset = ifelse(is.na(number), 0, number),
                      stripped = grepl("^\\.ends", after), stringsAsFactors = FALSE)
  # One without a size is gone: another process was quicker.
  parts <- parts[!is.na(parts$size), ]
  parts[order(parts$at), ]
}

# Ends the file that is appended to: what comes now begins another. The path of the part; NULL where nothing waits.
.track_seal <- function(path) {
  aside <- sprintf("%s.replay-%s", path, .track_uuid())
  if (file.exists(path) && suppressWarnings(file.rename(path, aside))) aside
}

# Whether there is room for reports of progress; makes some where there is none: the oldest part gives up its own first.
.track_room <- function(path) {
  # What is given up is given up in pieces of an eighth.
  if (.track_size(path) > .track$spool_bytes / 8) .track_seal(path)
  parts <- .track_parts(path)
  size <- .track_size(path) + sum(parts$size - parts$offset)
  for (i in seq_len(nrow(parts))) {
    if (size <= .track$spool_bytes) return(TRUE)
    if (!parts$stripped[[i]]) size <- size - .track_strip(parts[i, ])
  }
  size <= .track$spool_bytes
}

# Gives up the reports of progress of a part; the beginnings and ends that no newer one replaces stay, and an event in each execution that
# lost something says how much. A kill or power cut leaves the old part, the new one, or both: the old one goes when the new one is on the disk.
# Returns the bytes that are free now.
.track_strip <- function(part) {
  aside <- sprintf("%s.%d.tmp", part$path, Sys.getpid())
  tryCatch({
    lines <- .track_whole(.track_read(part$path, part$offset))
    passing <- grepl("\"x\": ?1[,}]", lines, useBytes = TRUE)
    runs <- .track_cell(lines, "run_id")
    keys <- paste(.track_cell(lines, "t"), runs, .track_cell(lines, "seq"), .track_cell(lines, "at"))
    # Rows of other tables have keys that are not known here.
    other <- !grepl("^\\{\"t\": ?\"(executions|subtasks|process_metrics|events)\"", lines, useBytes = TRUE)
    keys[other] <- lines[other]
    revisions <- suppressWarnings(as.numeric(.track_cell(lines, "revision")))
    revisions[is.na(revisions)] <- 0
    kept <- which(!passing)
    kept <- kept[revisions[kept] == ave(revisions[kept], keys[kept], FUN = max)]
    lost <- which(passing)[!duplicated(keys[passing])]
    unlink(aside)
    file <- file(aside, "wb")
    writeLines(c(lines[kept], .track_notices(runs[lost])), file, useBytes = TRUE)
    close(file)
    .track_sync(aside)
    stripped <- sub("(\\.replay-[^.]*).*$", "\\1.ends", part$path)
    if (!file.rename(aside, stripped)) stop("it cannot be renamed")
    Sys.setFileTime(stripped, part$at)
    .track_sync(dirname(stripped))
    if (stripped != part$path) unlink(part$path)
    .track$dropped <- .track$dropped + length(lost)
    part$size - part$offset - .track_size(stripped)
  }, error = function(e) {
    # It was replayed meanwhile, or the disk is full.
    unlink(aside)
    0
  })
}

# Waits until the bytes of a file, or the names in a folder, are on the disk. R has no call for it.
.track_sync <- function(path) {
  sync <- unname(Sys.which("sync"))
  if (sync != "") suppressWarnings(system2(sync, shQuote(path), stdout = FALSE, stderr = FALSE))
}

# What stands in a column of each line; "" where it does not. In a text a quote has a backslash before it, so no text is taken for a column.
.track_cell <- function(lines, name) {
  pattern <- sprintf("\"%s\": ?\"?([^\",}]*)", name)
  found <- regexpr(pattern, lines, perl = TRUE, useBytes = TRUE)
  cells <- character(length(lines))
  cells[found > 0] <- sub(pattern, "\\1", regmatches(lines, found), perl = TRUE, useBytes = TRUE)
  cells
}

# One event for each execution, with a number below every one that an execution gives its own.
.track_notices <- function(runs) {
  counts <- table(runs)
  numbers <- floor(as.numeric(Sys.time()) * 1000) * 1000 + (.track$notices + seq_along(counts)) %% 1000
  .track$notices <- .track$notices + length(counts)
  sprintf("{\"t\":\"events\",\"c\":{\"run_id\":\"%s\",\"seq\":-%.0f,\"at\":\"%s\",\"kind\":\"spool-full\",\"detail\":%s}}",
          names(counts), numbers, .track_now(), vapply(counts, function(count) {
            .track_json_text(sprintf("{\"given_up\":%d,\"why\":\"the spool was full\"}", count))
          }, ""))
}

# The lines of a file from a byte on.
.track_read <- function(path, offset) {
  file <- file(path, "rb")
  on.exit(close(file))
  seek(file, offset)
  readLines(file, warn = FALSE, encoding = "UTF-8")
}

# Without the end of a line that a kill cut short, which is none. `"x"`, where a line reports progress only, may be its last word.
.track_whole <- function(lines) lines[grepl("^\\{\"t\": ?\"[a-z_]+\".*\\}(, ?\"x\": ?1)?\\}$", lines, useBytes = TRUE)]

# Sends what waits, this process's own and what others have left, and begins nothing after `until`. What was sent is noted in the file's
# name at once, so that a process which is killed costs one portion at most, and that changes nothing. Raises an error where it is not taken.
.track_replay <- function(until) {
  path <- .track$to$spool
  # What killed processes have left half written.
  half <- list.files(dirname(path), pattern = "\\.tmp$", full.names = TRUE)
  half <- half[startsWith(basename(half), paste0(basename(path), ".replay-"))]
  unlink(half[difftime(Sys.time(), file.mtime(half), units = "secs") > 3600])
  parts <- .track_parts(path)
  for (i in seq_len(nrow(parts))) if (!.track_replay_part(parts$path[[i]], parts$offset[[i]], until)) return(invisible(NULL))
  if (.track_clock() >= until) return(invisible(NULL))
  # The newest come last, and only when all others are sent: else nothing but one file would be added at each try.
  aside <- .track_seal(path)
  if (is.null(aside)) return(invisible(NULL))
  tryCatch(.track_replay_part(aside, 0, until), error = function(e) {
    # Where no other file was begun meanwhile, and nothing was sent.
    if (suppressWarnings(file.link(aside, path))) unlink(aside)
    stop(e)
  })
  invisible(NULL)
}

# Whether all of it is sent.
.track_replay_part <- function(path, offset, until) {
  file <- tryCatch(suppressWarnings(file(path, "rb")), error = function(e) NULL)
  if (is.null(file)) return(TRUE)
  on.exit(close(file))
  repeat {
    began <- .track_clock()
    if (began >= until) return(FALSE)
    seek(file, offset)
    lines <- readLines(file, .track$portion, warn = FALSE, encoding = "UTF-8")
    if (length(lines) == 0) break
    ends <- cumsum(nchar(lines, "bytes") + 1)
    lines <- lines[seq_len(max(1, sum(ends <= .track$body_bytes)))]
    tryCatch(.track_post_rows(.track_whole(lines)), error = function(e) {
      .track$portion <- 50
      stop(e)
    })
    # As many rows as the service takes in half a second.
    .track$portion <- max(50, min(1000, round(.track$portion * if (.track_clock() - began > 0.5) 0.5 else 1.5)))
    offset <- offset + ends[[length(lines)]]
    moved <- sprintf("%s.%.0f", sub("(\\.replay-[^.]*(\\.ends)?).*$", "\\1", path), offset)
    if (suppressWarnings(file.rename(path, moved))) path <- moved
  }
  unlink(path)
  TRUE
}

# Halves what is too large for a service, or holds a row that it cannot read. A row that will never be taken is kept for a person to look at.
# What another server answers, such as a proxy before the service, says nothing of a row: all of them wait.
.track_post_rows <- function(lines) {
  count <- length(lines)
  if (count == 0) return(invisible(NULL))
  large <- count > 1000 || sum(nchar(lines, "bytes") + 1) > .track$body_bytes
  answer <- if (!large || count == 1) .track$to$post(paste(lines, collapse = ","))
  if (!is.null(answer) && answer$code == 400 && !grepl("track-refused|\"code\": ?\"", answer$text)) .track_no_service(answer)
  if (count > 1 && (is.null(answer) || answer$code %in% c(400, 413))) {
    first <- seq_len(count %/% 2)
    .track_post_rows(lines[first])
    .track_post_rows(lines[-first])
  } else if (answer$code %in% c(400, 413)) {
    .track_refuse(lines)
  } else if (answer$code < 200 || answer$code > 299 || !grepl("\"written\": ?[0-9].*\\}\\s*$", answer$text)) {
    .track_no_service(answer)
  } else {
    at <- regmatches(answer$text, gregexpr("\"row\": ?[0-9]+", answer$text))[[1]]
    .track_refuse(lines[as.integer(sub(".*[: ]", "", at)) + 1])
  }
}

.track_no_service <- function(answer) {
  url <- .track$to$url
  if (isTRUE(nzchar(answer$location))) stop(sprintf("%s redirects to %s: reports go to the address itself", url, sub("[?].*$", "", answer$location)))
  if (answer$code >= 200 && answer$code <= 299) stop(sprintf("%s: there is no run-archiver at this address", url))
  stop(sprintf("%s answers %d: %s", url, answer$code, substr(answer$text, 1, 300)))
}

.track_refuse <- function(lines) {
  path <- paste0(.track$to$spool, ".refused")
  for (line in lines) {
    .track_warn(paste("a row was refused, and is kept in", path))
    dir.create(dirname(path), recursive = TRUE, showWarnings = FALSE, mode = "0750")
    if (!isTRUE(file.size(path) > 5 * 1024^2)) .track_append(path, line)
  }
}

# Seconds that are left of the call that is made now.
.track_left <- function() {
  left <- .track$deadline - .track_clock()
  if (left < 0.1) stop(sprintf("%s is too slow", .track$to$url))
  left
}

.track_post_http <- function(rows) .track_post("/api/v1/reports", sprintf("{\"rows\":[%s]}", rows))

# POSTs JSON. Gives code and text; raises an error where no answer comes in the time that is left.
.track_post <- function(path, body) {
  if (.track$to$curl == "") return(.track_post_plain(path, body))
  files <- tempfile(c("track-body", "track-answer", "track-words", "track-why"))
  on.exit(unlink(files))
  writeBin(charToRaw(body), files[[1]])
  .track_curl_words(files[[3]])
  code <- suppressWarnings(system2(.track$to$curl, c(
    "--silent", "--show-error", "--stderr", shQuote(files[[4]]), "--max-time", sprintf("%.2f", .track_left()), "--config", shQuote(files[[3]]), "--data-binary", shQuote(paste0("@", files[[1]])),
    "--output", shQuote(files[[2]]), "--write-out", shQuote("%{http_code} %{redirect_url}"), shQuote(paste0(.track$to$url, path))),
    stdout = TRUE, stderr = FALSE))
  # Also an answer that came in part: it may say anything.
  if (!is.null(attr(code, "status")) || length(code) == 0) {
    why <- tryCatch(suppressWarnings(readLines(files[[4]], 1, warn = FALSE)), error = function(e) character())
    stop(paste(c(sprintf("%s does not answer", .track$to$url), why), collapse = ": "))
  }
  if (.track_size(files[[2]]) > .track$answer_bytes) stop(sprintf("%s: there is no run-archiver at this address", .track$to$url))
  text <- if (file.exists(files[[2]])) readLines(files[[2]], warn = FALSE, encoding = "UTF-8") else ""
  list(code = as.integer(substr(code[[1]], 1, 3)), text = paste(text, collapse = "\n"), location = substring(code[[1]], 5))
}

# Headers in a file of one's own: a command line can be read by others.
.track_curl_words <- function(file) {
  old <- Sys.umask("077")
  on.exit(Sys.umask(old))
  token <- Sys.getenv("MONITOR_TOKEN", "")
  writeLines(c("header = \"content-type: application/json\"",
               if (token != "") sprintf("header = \"authorization: Bearer %s\"", gsub("([\"\\\\])", "\\\\\\1", token))), file)
}

.track_post_plain <- function(path, body) {
  parts <- regmatches(.track$to$url, regexec("^http://(\\[[^]]*\\]|[^/:]*)(:([0-9]+))?(/.*)?$", .track$to$url))[[1]]
  if (length(parts) == 0) stop(sprintf("%s is no address", .track$to$url))
  port <- if (parts[[4]] == "") 80L else as.integer(parts[[4]])
  bytes <- charToRaw(enc2utf8(body))
  token <- Sys.getenv("MONITOR_TOKEN", "")
  head <- c(sprintf("POST %s%s HTTP/1.0", parts[[5]], path), sprintf("host: %s:%d", parts[[2]], port),
            "content-type: application/json", sprintf("content-length: %d", length(bytes)),
            if (token != "") paste("authorization: Bearer", token), "", "")
  answer <- .track_exchange(gsub("[][]", "", parts[[2]]), port, c(charToRaw(paste(head, collapse = "\r\n")), bytes))
  code <- if (length(answer) > 0) as.integer(sub("^HTTP/[0-9.]+ ([0-9]{3}).*$", "\\1", answer[[1]])) else NA
  if (is.na(code)) stop(sprintf("%s does not answer", .track$to$url))
  head <- answer[seq_len(match("", answer, length(answer)))]
  location <- sub("^location: *", "", grep("^location:", head, value = TRUE, ignore.case = TRUE), ignore.case = TRUE)
  list(code = code, text = paste(answer[-1], collapse = "\n"), location = if (length(location) == 1 && code >= 300 && code <= 399) location)
}

# What a server answers until it ends the connection. Its single reads and writes may each be in time, and the whole never end.
.track_exchange <- function(host, port, bytes) {
  con <- suppressWarnings(socketConnection(host, port, open = "r+b", blocking = FALSE, timeout = ceiling(.track_left())))
  on.exit(close(con))
  for (from in seq(1, length(bytes), 65536)) {
    .track_left()
    writeBin(bytes[from:min(length(bytes), from + 65535)], con)
  }
  answer <- raw()
  repeat {
    if (!socketSelect(list(con), FALSE, .track_left())) next
    piece <- readBin(con, "raw", 65536)
    if (length(piece) == 0) break
    answer <- c(answer, piece)
    if (length(answer) > .track$answer_bytes) stop(sprintf("%s: there is no run-archiver at this address", .track$to$url))
  }
  text <- rawToChar(answer[answer != 0])
  Encoding(text) <- "UTF-8"
  strsplit(text, "\r?\n")[[1]]
}

# A sign of life every 15 s, with what this process uses, from a process of its own, for as long as this one lives: R computes, and has no timer. When this
# one is gone and has recorded no end (R cannot catch SIGTERM or SIGHUP, and nothing can SIGKILL), the execution is closed as terminated.
.track_beat <- function() {
  send <- if (is.null(.track$to$curl)) .track_beat_by_psql() else .track_beat_by_curl()
  if (is.null(send) || .Platform$OS.type != "unix") return(invisible(NULL))
  # The file goes with R's temporary folder, or with the end of the execution: then it stops.
  .track$beat <- send$mark
  script <- tempfile("track-beat")
  writeLines(c(sprintf("pid=%d mark=%s", Sys.getpid(), shQuote(send$mark)), .track$beat_script, "beat() {", send$beat, "}", "died() {", send$died, "}",
               "figures", sprintf("while sleep %g && kill -0 $pid 2>/dev/null && test -e \"$mark\"; do figures; beat; done", .track$beat_seconds),
               "if test -e \"$mark\" && ! kill -0 $pid 2>/dev/null; then died; rm -f \"$mark\"; fi"), script)
  .track_with_env(send$env, system(sprintf("sh %s >/dev/null 2>&1 </dev/null &", shQuote(script))))
}

.track$beat_seconds <- 15

.track_with_env <- function(env, expr) {
  before <- Sys.getenv(names(env), NA, names = TRUE)
  if (length(env) > 0) do.call(Sys.setenv, as.list(env))
  on.exit({
    if (any(is.na(before))) Sys.unsetenv(names(before)[is.na(before)])
    if (any(!is.na(before))) do.call(Sys.setenv, as.list(before[!is.na(before)]))
  })
  expr
}

# What Linux says of the process; empty where there is no /proc. Processor time is counted in hundredths of a second.
.track$beat_script <- c(
  "ticks= at=",
  "figures() {",
  "  cpu= memory= peak= threads= files= read= written=",
  "  { IFS= read -r line < /proc/$pid/stat && read -r up rest < /proc/uptime; } 2>/dev/null || return 0",
  "  set -- ${line##*) }",
  "  before=$ticks then=$at ticks=$((${12} + ${13})) at=${up%.*}${up#*.}",
  "  test -n \"$then\" && test $at -gt $then && cpu=$(((ticks - before) * 100 / (at - then)))",
  "  while read -r name value rest; do case $name in VmRSS:) memory=$((value / 1024));; VmHWM:) peak=$((value / 1024));; Threads:) threads=$value;; esac; done < /proc/$pid/status",
  "  set -- /proc/$pid/fd/*; test -e \"$1\" && files=$#",
  "  while read -r name value; do case $name in read_bytes:) read=$value;; write_bytes:) written=$value;; esac; done 2>/dev/null < /proc/$pid/io",
  "}")

.track_beat_by_curl <- function() {
  if (.track$to$curl == "") return(NULL)
  words <- tempfile("track-beat")
  .track_curl_words(words)
  url <- sprintf("%s/api/v1/executions/%s/", .track$to$url, .track$row$run_id)
  post <- function(what, body) sprintf("  %s -s -m 5 -o /dev/null -K \"$mark\" -d %s %s", shQuote(.track$to$curl), body, shQuote(paste0(url, what)))
  field <- function(name, variable) sprintf("${%s:+\\\"%s\\\":$%s,}", variable, name, variable)
  fields <- paste0(field("cpu_percent", "cpu"), field("memory_mb", "memory"), field("peak_memory_mb", "peak"), field("threads", "threads"),
                   field("open_files", "files"), field("read_bytes", "read"), field("write_bytes", "written"))
  list(mark = words, env = character(), beat = c(sprintf("  body=\"%s\"", fields), post("heartbeat", "\"{${body%,}}\"")),
       died = post("error", shQuote(sprintf("{\"message\":\"%s\",\"reason\":\"terminated\"}", .track_died()))))
}

.track_died <- function() sprintf("Process %d died without recording its end", Sys.getpid())

# By psql, where it is in the PATH: its own process, and secrets in variables, because a command line can be read by others.
.track_beat_by_psql <- function() {
  psql <- unname(Sys.which("psql"))
  env <- .track_pg_env()
  if (psql == "" || is.null(env)) return(NULL)
  mark <- tempfile("track-beat")
  file.create(mark)
  id <- .track$row$run_id
  table <- function(name) paste0(.track$to$schema, ".", name)
  ask <- function(sql) sprintf("  %s -X -q -w -c \"%s\"", shQuote(psql), sql)
  open <- sprintf("WHERE run_id = '%s' AND execution_end IS NULL", id)
  value <- function(variable) sprintf("${%s:-NULL}", variable)
  list(mark = mark, env = env,
    beat = ask(paste0(
      sprintf("UPDATE %s SET heartbeat_at = now(), last_update = now(), cpu_percent = %s, memory_mb = %s, peak_memory_mb = %s %s; ",
              table("executions"), value("cpu"), value("memory"), value("peak"), open),
      sprintf("INSERT INTO %s (run_id, at, cpu_percent, memory_mb, peak_memory_mb, threads, open_files, read_bytes, write_bytes, rows_processed) ", table("process_metrics")),
      sprintf("SELECT run_id, now(), %s, (SELECT sum(items_complete) FROM %s s WHERE s.run_id = e.run_id) FROM %s e %s",
              paste(value(c("cpu", "memory", "peak", "threads", "files", "read", "written")), collapse = ", "), table("subtasks"), table("executions"), open))),
    died = ask(paste0(
      sprintf("UPDATE %s SET state = 'terminated', ended_at = now(), updated_at = now() WHERE run_id = '%s' AND ended_at IS NULL; ", table("subtasks"), id),
      sprintf("UPDATE %s SET execution_status = 'FAILED', end_reason = 'terminated', execution_end = now(), last_update = now(), subtask_status = CASE WHEN subtask_status = 'RUNNING' THEN 'FAILED' ELSE subtask_status END, error_message = '%s' %s",
              table("executions"), .track_died(), open))))
}

# Where the database is, in the variables of psql; NULL where the address cannot be put into them.
.track_pg_env <- function() {
  env <- c(PGCONNECT_TIMEOUT = "5", PGAPPNAME = "track_status.R")
  parts <- function(host, port, name, user, password) c(env, PGHOST = host, PGPORT = port, PGDATABASE = name, PGUSER = user, PGPASSWORD = password)
  url <- .track$to$url
  if (url == "") return(parts(.track_setting("HOST", "localhost"), .track_setting("PORT", "5432"), .track_setting("NAME", "geodb"),
                              .track_setting("USER", "pipeline"), .track_setting("PASSWORD", "")))
  found <- regmatches(url, regexec("^postgres(?:ql)?://([^:@/]*)(?::([^@/]*))?@([^:/?,]+)(?::([0-9]+))?/([^?]+)$", url, perl = TRUE))[[1]]
  if (length(found) == 0) return(NULL)
  found <- utils::URLdecode(found)
  parts(found[[4]], if (found[[5]] == "") "5432" else found[[5]], found[[6]], found[[2]], found[[3]])
}

# --- directly to the database ------------------------------------------------------------------------------------------------------------

.track_connect <- function() {
  package <- .track$to$driver
  driver <- if (package == "RPostgres") RPostgres::Postgres() else RPostgreSQL::PostgreSQL()
  where <- .track$to$url
  .track_with_env(c(PGCONNECT_TIMEOUT = "5"), {
    db <- if (where != "") DBI::dbConnect(driver, dbname = where)
    else DBI::dbConnect(driver, host = .track_setting("HOST", "localhost"), port = as.integer(.track_setting("PORT", "5432")),
                        dbname = .track_setting("NAME", "geodb"), user = .track_setting("USER", "pipeline"),
                        password = .track_setting("PASSWORD", ""))
  })
  for (set in c("statement_timeout = 5000", "timezone = 'UTC'", "client_encoding = 'UTF8'")) DBI::dbExecute(db, paste("SET", set))
  .track$db <- db
}

# Writes rows as they are in the spool: a row that is there is replaced by one that is as new or newer. Code and text as of a service: 400 where a value is
# refused. Raises an error where the database does not answer, or does not take any row now.
.track_post_database <- function(rows) {
  tag <- gsub("-", "", .track_uuid())
  sql <- gsub("{rows}", .track_sql(sprintf("[%s]", rows)), gsub("{schema}", .track$to$schema, gsub("{tag}", tag, .track$write_sql, fixed = TRUE), fixed = TRUE), fixed = TRUE)
  wrong <- tryCatch(suppressWarnings({
    if (is.null(.track$db)) .track_connect()
    DBI::dbExecute(.track$db, sql)
    ""
  }), error = function(e) conditionMessage(e))
  if (wrong == "") return(list(code = 200L, text = "{\"written\":1}"))
  if (grepl("track-refused", wrong)) return(list(code = 400L, text = wrong))
  try(DBI::dbDisconnect(.track$db), silent = TRUE)
  .track$db <- NULL
  stop(wrong)
}

.track$write_sql <- "DO $t{tag}$
DECLARE line jsonb; cells jsonb; keys text[]; place regclass; names text; given text; changes text;
BEGIN
  FOR line IN SELECT jsonb_array_elements({rows}::jsonb) LOOP
    cells := line->'c';
    keys := CASE line->>'t' WHEN 'executions' THEN '{run_id}' WHEN 'process_metrics' THEN '{run_id,at}'
      WHEN 'subtasks' THEN '{run_id,seq}' WHEN 'events' THEN '{run_id,seq}' END;
    place := to_regclass('{schema}.' || (line->>'t'));
    IF line->>'t' = 'executions' AND place IS NULL THEN RAISE EXCEPTION 'there is no {schema}.executions; run-archiver track migrate-schema makes it'; END IF;
    CONTINUE WHEN keys IS NULL OR place IS NULL;
    SELECT string_agg(quote_ident(attname), ', '), string_agg(format('($1->>%L)::%s', attname, format_type(atttypid, atttypmod)), ', '),
        string_agg(format('%1$I = EXCLUDED.%1$I', attname), ', ') FILTER (WHERE attname::text <> ALL (keys))
      INTO names, given, changes
      FROM pg_attribute WHERE attrelid = place AND attnum > 0 AND NOT attisdropped AND jsonb_exists(cells, attname::text);
    EXECUTE format('INSERT INTO %s AS old (%s) SELECT %s ON CONFLICT (%s) DO UPDATE SET %s', place, names, given, array_to_string(keys, ', '), changes)
      || CASE WHEN jsonb_exists(cells, 'revision') THEN ' WHERE old.revision <= EXCLUDED.revision' ELSE '' END USING cells;
  END LOOP;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
  RAISE EXCEPTION 'track-refused: %', SQLERRM;
END $t{tag}$"

.track_sql <- function(value) {
  if (is.null(value) || length(value) == 0 || is.na(value[[1]])) return("NULL")
  if (is.numeric(value)) return(format(value[[1]], scientific = FALSE, digits = 15, trim = TRUE))
  text <- gsub("'", "''", gsub("\\", "\\\\", enc2utf8(as.character(value[[1]])), fixed = TRUE), fixed = TRUE)
  paste0("E'", text, "'")
}

# A number that no column takes, or a word that there is not, is left out with a warning: else its whole row would be refused, and each later one.
.track_checked <- function(f) {
  most <- c(total_subtasks = 2^31 - 1, current_subtask = 2^31 - 1, items_complete = 2^53 - 1, items_total = 2^53 - 1,
            subtask_items_complete = 2^53 - 1, subtask_items_total = 2^53 - 1, overall_percent = NA, subtask_percent = NA)
  for (name in intersect(names(f), names(most))) f[name] <- list(.track_number(name, f[[name]], most[[name]]))
  words <- list(status = c("STARTED", "RUNNING", "FINISHED", "FAILED", "CANCELLED"), subtask_status = c("NOT_STARTED", "RUNNING", "COMPLETED", "FAILED"))
  for (name in intersect(names(f), names(words))) if (!is.null(f[[name]])) {
    word <- toupper(as.character(f[[name]])[[1]])
    if (!(word %in% words[[name]])) .track_warn(sprintf("%s must be one of %s", name, paste(words[[name]], collapse = ", ")))
    f[name] <- list(if (word %in% words[[name]]) word)
  }
  if (identical(f$op, "status") && is.null(f$status)) f$status <- "RUNNING"
  f
}

# NULL where it is none; a share is held between 0 and 100.
.track_number <- function(name, value, most) {
  if (is.null(value) || length(value) == 0 || (is.atomic(value) && is.na(value[[1]]) && !is.nan(value[[1]]))) return(NULL)
  number <- suppressWarnings(tryCatch(as.numeric(as.character(value[[1]])), error = function(e) NA))
  if (is.na(most) && !is.na(number)) return(min(100, max(0, number)))
  if (is.na(number) || number < 0 || number > most) {
    .track_warn(sprintf("%s must be a whole number from 0 to %.0f", name, if (is.na(most)) 100 else most))
    return(NULL)
  }
  round(number)
}

# The columns that a report changes; NULL: none.
.track_changes <- function(f) {
  set <- switch(f$op, enter = .track_enter_cells(f), exit = .track_exit_cells(),
    message = list(subtask_progress_message = f$message),
    progress = list(subtask_items_complete = f$items_complete, subtask_items_total = f$items_total,
                    subtask_progress_message = f$message, subtask_percent_complete = .track_share(f$items_complete, f$items_total)),
    finish = list(execution_status = "FINISHED", end_reason = "ok", overall_percent_complete = 100,
                  overall_progress_message = f$message, exit_code = 0, subtask_status = if (.track_has_step()) "COMPLETED",
                  subtask_percent_complete = if (.track_has_step()) 100),
    error = list(execution_status = "FAILED", end_reason = "error", error_message = f$message, error_detail = f$detail, exit_code = f$exit_code,
                 subtask_status = if (.track_step_runs()) "FAILED"),
    cancel = list(execution_status = "CANCELLED", end_reason = "signal", error_message = paste("Process terminated by", f$signal, "signal"),
                  subtask_status = if (.track_step_runs()) "FAILED"),
    status = list(execution_status = toupper(f$status), current_subtask = f$current_subtask, subtask_name = f$subtask_name,
                  subtask_status = f$subtask_status, overall_percent_complete = f$overall_percent,
                  overall_progress_message = f$overall_message, subtask_progress_message = f$subtask_message,
                  subtask_percent_complete = .track_or(f$subtask_percent, .track_share(f$subtask_items_complete, f$subtask_items_total)),
                  subtask_items_total = f$subtask_items_total, subtask_items_complete = f$subtask_items_complete))
  if (is.null(set)) return(NULL)
  set <- set[!vapply(set, is.null, TRUE)]
  if (is.null(set$execution_status)) set$execution_status <- "RUNNING"
  if (f$op != "message") set$sub_state <- if (is.null(f$sub_state)) NA else toupper(f$sub_state)
  set$memory_mb <- .track_memory()
  set
}

# Whether there is a step, and whether it runs, by `genter` or by `track_status`.
.track_has_step <- function() .track$entered > 0 || !is.null(.track$row$subtask_name) || !is.null(.track$row$subtask_status)
.track_step_runs <- function() length(.track$stack) > 0 || isTRUE(.track$row$subtask_status %in% c("NOT_STARTED", "RUNNING"))

.track_ended <- function(set) isTRUE(set$execution_status %in% c("FINISHED", "FAILED", "CANCELLED"))

.track_share <- function(done, total) {
  if (is.null(done) || is.null(total) || total <= 0) return(NULL)
  round(min(1, max(0, done / total)) * 100, 2)
}

# The columns of an execution that begins.
.track_begun <- function(f) {
  .track$entered <- 0
  .track$ended <- 0
  .track$stack <- character()
  .track$total <- f$total_subtasks
  list(run_id = f$run_id, task_name = f$task_name, task_stage = f$stage, task_type = "R", hostname = f$hostname,
       process_id = f$process_id, user_name = f$user_name, script_path = f$script_path, script_file = f$script_file,
       log_path = f$log_path, log_file = f$log_file, execution_status = "STARTED", total_subtasks = f$total_subtasks,
       current_subtask = 0, git_commit = f$git_commit, environment = .track_environment(), parent_run_id = .track_parent(),
       boot_id = .track_read_line("/proc/sys/kernel/random/boot_id"), process_start_ticks = .track_start_ticks(),
       memory_mb = .track_memory())
}

.track_enter_cells <- function(f) {
  .track$entered <- .track$entered + 1
  .track$stack <- c(.track$stack, f$message)
  if (!is.null(.track$total)) .track$total <- max(.track$total, .track$entered)
  of <- if (is.null(.track$total)) "" else paste0(" of ", .track$total)
  list(current_subtask = .track$entered, subtask_name = f$message, subtask_status = "RUNNING",
       overall_percent_complete = .track_share(.track$ended, .track$total), total_subtasks = .track$total,
       overall_progress_message = paste0("Task ", .track$entered, of, ": ", f$message), subtask_percent_complete = 0,
       subtask_progress_message = NA, subtask_items_total = NA, subtask_items_complete = NA)
}

.track_exit_cells <- function() {
  if (length(.track$stack) == 0) return(NULL)
  name <- .track$stack[length(.track$stack)]
  .track$stack <- .track$stack[-length(.track$stack)]
  .track$ended <- .track$ended + 1
  list(subtask_name = name, subtask_status = "COMPLETED", subtask_percent_complete = 100,
       overall_percent_complete = .track_share(.track$ended, .track$total))
}

# --- what describes the script ---------------------------------------------------------------------------------------------------------

.track_script <- function(name = TRUE) {
  arguments <- commandArgs(trailingOnly = FALSE)
  file <- sub("^--file=", "", arguments[grepl("^--file=", arguments)])
  if (length(file) == 0) return(if (name) "unknown_script.R")
  if (name) basename(file[[1]]) else normalizePath(file[[1]], mustWork = FALSE)
}

.track_stage <- function(name) {
  for (stage in c("PREREQ", "STATIC", "DAILY", "ANNUAL_DEC", "ANNUAL_SEPT", "ANNUAL_JUNE", "PERIODIC"))
    if (startsWith(name, paste0(stage, "_"))) return(stage)
  "UNKNOWN"
}

.track_commit <- function() {
  tryCatch(suppressWarnings({
    commit <- system("git rev-parse HEAD 2>/dev/null", intern = TRUE)
    if (length(commit) == 1 && nchar(commit) >= 40) commit
  }), error = function(e) NULL)
}

# Variables that an execution keeps, where they are set, as JSON.
.track_environment <- function() {
  values <- Sys.getenv(c("BDC_DOWNLOAD_PATH", "PYTHONPATH", "R_LIBS", "R_LIBS_USER"))
  values <- values[nzchar(values)]
  cells <- vapply(values, function(value) .track_json_text(.track_mask(value)), "")
  paste0("{", paste(sprintf("\"%s\":%s", names(values), cells), collapse = ","), "}")
}

# The execution that this one is a part of, as `track run` names it.
.track_parent <- function() {
  parent <- tolower(Sys.getenv("RUN_ARCHIVER_RUN_ID"))
  if (grepl("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", parent)) parent
}

# NULL where the system has no such file.
.track_read_line <- function(path) tryCatch(suppressWarnings(readLines(path, 1)), error = function(e) NULL)

# The boot and the start of this process tell it from a later one with the same number.
.track_start_ticks <- function() {
  line <- .track_read_line("/proc/self/stat")
  # The name of the program stands in brackets, and may hold blanks.
  if (!is.null(line)) as.numeric(strsplit(sub("^.*\\) ", "", line), " ", fixed = TRUE)[[1]][[20]])
}

.track_memory <- function() {
  lines <- tryCatch(suppressWarnings(readLines("/proc/self/status")), error = function(e) character())
  size <- grep("^VmRSS:", lines, value = TRUE)
  if (length(size) == 1) round(as.numeric(gsub("[^0-9]", "", size)) / 1024)
}

# Never by R's random numbers: a pipeline's results must not depend on being tracked.
.track_uuid <- function() {
  kernel <- "/proc/sys/kernel/random/uuid"
  if (file.exists(kernel)) return(readLines(kernel, 1))
  file <- tempfile()
  cat(format(Sys.time(), "%Y%m%d%H%M%OS6"), Sys.getpid(), Sys.info()[["nodename"]], file, file = file)
  digits <- unname(tools::md5sum(file))
  unlink(file)
  sub("^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$", "\\1-\\2-4\\3-8\\4-\\5", digits)
}

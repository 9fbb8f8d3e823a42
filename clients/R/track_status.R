# Reports the execution of an R pipeline to the run record archiver's database.
#
#   source("track_status.R")
#   track_init("DAILY_01_BDC_Locations.R", total_tasks = 112)
#   genter("loading {file}"); gexit(); track_finish("Processed {n} states")
#
# One file, base R only. Each call sends one JSON line to `run-archiver track pipe` (another command: option or variable
# RUN_ARCHIVER_TRACK), which queues, writes and keeps what cannot be written. Without run-archiver in the PATH, rows go to the database
# directly, by RPostgres or RPostgreSQL, as MONITOR_DB_* says. `{x}` in a message is evaluated where the function is called, by glue if
# it is installed. No call raises an error into the pipeline: what goes wrong is a message on standard error, once.

.track <- new.env()
.track$con <- NULL
.track$run_id <- NULL
.track$warned <- character()
.track$pending <- NULL
.track$sent_at <- 0

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
      total_subtasks = .track_or(total_subtasks, total_tasks),
      stage = .track_or(stage, .track_or(category, .track_stage(name))), type = "R",
      script_path = path, script_file = if (!is.null(path)) basename(path), log_path = log_path, log_file = log_file,
      hostname = info[["nodename"]], process_id = Sys.getpid(), user_name = info[["user"]], git_commit = .track_commit())
    options(pipeline_run_id = .track$run_id)
    if (.track$open) message(sprintf("Status tracking initialized: run_id=%s", .track$run_id))
  })
  invisible(.track$run_id)
}

#' Reports how the execution stands. What is left out, or NULL, stays as it is.
track_status <- function(status = "RUNNING", current_subtask = NULL, subtask_name = NULL, subtask_status = NULL,
                         overall_percent = NULL, overall_message = NULL, subtask_percent = NULL, subtask_message = NULL,
                         subtask_items_total = NULL, subtask_items_complete = NULL, current_task = NULL, task_name = NULL,
                         task_status = NULL, task_percent = NULL, task_message = NULL, task_items_total = NULL,
                         task_items_complete = NULL, .envir = parent.frame()) {
  .track_safely({
    if (is.null(.track$run_id)) return(invisible(NULL))
    subtask_message <- .track_glue(.track_or(subtask_message, task_message), .envir)
    overall_message <- .track_glue(overall_message, .envir)
    .track_send(
      op = "status", status = status, current_subtask = .track_or(current_subtask, current_task),
      subtask_name = .track_glue(.track_or(subtask_name, task_name), .envir),
      subtask_status = .track_or(subtask_status, task_status), overall_percent = overall_percent,
      overall_message = overall_message, subtask_percent = .track_or(subtask_percent, task_percent),
      subtask_message = subtask_message, subtask_items_total = .track_or(subtask_items_total, task_items_total),
      subtask_items_complete = .track_or(subtask_items_complete, task_items_complete))
    .track_say(.track_or(subtask_message, overall_message))
    if (toupper(status) %in% c("FINISHED", "FAILED", "CANCELLED")) .track$run_id <- NULL
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
    text <- if (inherits(error_msg, "condition")) conditionMessage(error_msg) else as.character(error_msg)
    .track_send(op = "error", message = text, detail = error_detail)
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

#' How far the step in hand is. Sent five times a second at most; the last one is never lost.
track_task_progress <- function(items_complete, items_total = NULL, message = NULL, .envir = parent.frame()) {
  .track_safely({
    if (is.null(.track$run_id)) return(invisible(NULL))
    .track$pending <- list(complete = items_complete, total = items_total, message = message, envir = .envir)
    now <- proc.time()[["elapsed"]]
    if (now - .track$sent_at >= 0.2 || identical(items_complete, items_total)) {
      .track$sent_at <- now
      .track_pending()
    } else if (!is.null(message)) {
      # Its variables may have changed when it is sent.
      .track$pending$message <- .track_glue(message, .envir)
      .track$pending$envir <- NULL
    }
  })
  invisible(NULL)
}
track_subtask_progress <- track_task_progress

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
  text <- if (is.null(p$envir)) p$message else .track_glue(p$message, p$envir)
  .track_send(op = "progress", items_complete = p$complete, items_total = p$total, message = text)
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
    if (is.numeric(v)) format(v[[1]], scientific = FALSE, digits = 15, trim = TRUE) else .track_json_text(v[[1]])
  }, "")
  paste0("{", paste(sprintf("\"%s\":%s", names(fields), values), collapse = ","), "}")
}

.track_send <- function(...) {
  fields <- list(...)
  if (!identical(fields$op, "progress")) .track_pending()
  if (!isTRUE(.track$open)) return(invisible(NULL))
  if (is.null(.track$con)) return(.track_direct(fields))
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
  if (!is.null(.track$con) || !is.null(.track$db)) return(TRUE)
  command <- getOption("run_archiver_track", Sys.getenv("RUN_ARCHIVER_TRACK", ""))
  if (command == "" && Sys.which("run-archiver") != "") command <- "run-archiver track pipe"
  if (command != "") {
    .track$con <- pipe(command, "w")
  } else if (!.track_connect()) {
    .track_warn("neither run-archiver nor a database of executions can be reached: nothing is tracked")
    return(FALSE)
  }
  reg.finalizer(.track, function(e) .track_at_exit(), onexit = TRUE)
  TRUE
}

# The script has ended: by an error, when R has a new error message, else normally.
.track_at_exit <- function() {
  .track_safely({
    if (!is.null(.track$run_id)) {
      text <- geterrmessage()
      if (identical(text, .track$error_before)) .track_send(op = "finish", message = "Script completed")
      else .track_send(op = "error", message = trimws(text))
    }
    if (!is.null(.track$con)) close(.track$con)
    if (!is.null(.track$db)) DBI::dbDisconnect(.track$db)
  })
}

.track_setting <- function(name, default) {
  for (prefix in c("MONITOR_DB_", "TASKER_DB_")) {
    value <- Sys.getenv(paste0(prefix, name), "")
    if (value != "") return(value)
  }
  default
}

.track_connect <- function() {
  driver <- if (requireNamespace("RPostgres", quietly = TRUE)) RPostgres::Postgres()
  else if (requireNamespace("RPostgreSQL", quietly = TRUE)) RPostgreSQL::PostgreSQL()
  else return(FALSE)
  .track$db <- tryCatch(
    DBI::dbConnect(driver, host = .track_setting("HOST", "localhost"), port = as.integer(.track_setting("PORT", "5432")),
                   dbname = .track_setting("NAME", "geodb"), user = .track_setting("USER", "pipeline"),
                   password = .track_setting("PASSWORD", "")),
    error = function(e) {
      .track_warn(paste("Failed to connect to monitoring database:", conditionMessage(e)))
      NULL
    })
  !is.null(.track$db)
}

# --- directly to the database, where run-archiver is not installed -------------------------------------------------------------------

.track_sql <- function(value) {
  if (is.null(value) || length(value) == 0 || is.na(value[[1]])) return("NULL")
  if (is.numeric(value)) return(format(value[[1]], scientific = FALSE, digits = 15, trim = TRUE))
  text <- gsub("'", "''", gsub("\\", "\\\\", enc2utf8(as.character(value[[1]])), fixed = TRUE), fixed = TRUE)
  paste0("E'", text, "'")
}

.track_direct <- function(f) {
  set <- switch(f$op, init = .track_direct_init(f), enter = .track_direct_enter(f), exit = .track_direct_exit(),
    message = list(subtask_progress_message = f$message),
    progress = list(subtask_items_complete = f$items_complete, subtask_items_total = f$items_total,
                    subtask_progress_message = f$message, subtask_percent_complete = .track_share(f$items_complete, f$items_total)),
    finish = list(execution_status = "FINISHED", end_reason = "ok", overall_percent_complete = 100,
                  overall_progress_message = f$message),
    error = list(execution_status = "FAILED", end_reason = "error", error_message = f$message, error_detail = f$detail),
    status = list(execution_status = toupper(f$status), current_subtask = f$current_subtask, subtask_name = f$subtask_name,
                  subtask_status = f$subtask_status, overall_percent_complete = f$overall_percent,
                  overall_progress_message = f$overall_message, subtask_progress_message = f$subtask_message,
                  subtask_percent_complete = .track_or(f$subtask_percent, .track_share(f$subtask_items_complete, f$subtask_items_total)),
                  subtask_items_total = f$subtask_items_total, subtask_items_complete = f$subtask_items_complete))
  if (is.null(set) || f$op == "init") return(invisible(NULL))
  set <- set[!vapply(set, is.null, TRUE)]
  if (is.null(set$execution_status)) set$execution_status <- "RUNNING"
  changes <- sprintf("%s = %s", names(set), vapply(set, .track_sql, ""))
  ended <- set$execution_status %in% c("FINISHED", "FAILED", "CANCELLED")
  changes <- c(changes, "last_update = now()", if (ended) "execution_end = now()")
  DBI::dbExecute(.track$db, sprintf(
    "UPDATE tasker.executions SET %s WHERE run_id = '%s' AND (execution_end IS NULL OR end_reason = 'terminated')",
    paste(changes, collapse = ", "), .track$run_id))
  invisible(NULL)
}

.track_share <- function(done, total) {
  if (is.null(done) || is.null(total) || total <= 0) return(NULL)
  round(min(1, max(0, done / total)) * 100, 2)
}

.track_direct_init <- function(f) {
  .track$entered <- 0
  .track$ended <- 0
  .track$stack <- character()
  .track$total <- f$total_subtasks
  cells <- list(run_id = f$run_id, task_name = f$task_name, task_stage = f$stage, task_type = "R", hostname = f$hostname,
                process_id = f$process_id, user_name = f$user_name, script_path = f$script_path, script_file = f$script_file,
                log_path = f$log_path, log_file = f$log_file, execution_status = "STARTED", total_subtasks = f$total_subtasks,
                current_subtask = 0, git_commit = f$git_commit)
  DBI::dbExecute(.track$db, sprintf(
    "INSERT INTO tasker.executions (%s, execution_start) VALUES (%s, now())",
    paste(names(cells), collapse = ", "), paste(vapply(cells, .track_sql, ""), collapse = ", ")))
  NULL
}

.track_direct_enter <- function(f) {
  .track$entered <- .track$entered + 1
  .track$stack <- c(.track$stack, f$message)
  if (!is.null(.track$total)) .track$total <- max(.track$total, .track$entered)
  of <- if (is.null(.track$total)) "" else paste0(" of ", .track$total)
  list(current_subtask = .track$entered, subtask_name = f$message, subtask_status = "RUNNING",
       overall_percent_complete = .track_share(.track$ended, .track$total), total_subtasks = .track$total,
       overall_progress_message = paste0("Task ", .track$entered, of, ": ", f$message), subtask_percent_complete = 0,
       subtask_progress_message = NA, subtask_items_total = NA, subtask_items_complete = NA)
}

.track_direct_exit <- function() {
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

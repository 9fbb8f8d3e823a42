console.log('run-archiver', __VERSION__)

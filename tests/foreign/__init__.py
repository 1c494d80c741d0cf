"""Clients that this project did not write, against its simulators over real sockets. Run by `make foreign`.

One file for each client (`test_<client>.py`), and beside it a folder of the same name with what the client needs: its program,
which reads one JSON object from standard input and writes one to standard output, and its pinned packages (requirements.txt,
package.json with package-lock.json, pom.xml). `installing` puts the packages into a folder outside the project and skips,
with the reason, where Node, Java or Cargo is not installed.
"""

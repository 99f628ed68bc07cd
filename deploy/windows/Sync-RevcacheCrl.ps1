<#
.SYNOPSIS
Keeps the genuine CRLs of the configured CAs in the machine's store of intermediate CAs.

.DESCRIPTION
Run hourly by the scheduled task that Install-Revcache.ps1 registers. A CRL comes from revcache and
is installed only if the CA of the kit signed it, it is not older than the one installed before,
and it has not expired. Exit code 0: all are current; 1: some are not.

.EXAMPLE
.\Sync-RevcacheCrl.ps1 -Verbose
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Low')]
param()

. (Join-Path $PSScriptRoot 'RevcacheKit.ps1')

# Straight from revcache, whatever proxy is configured.
function Receive-Bytes([string]$Url) {
    $request = [Net.WebRequest]::Create($Url)
    $request.Proxy = $null
    $request.AllowAutoRedirect = $false
    $request.Timeout = 30000
    $request.ReadWriteTimeout = 30000
    $request.UserAgent = 'revcache-windows-kit'
    $response = $request.GetResponse()
    try {
        if ([int]$response.StatusCode -ne 200) { throw "status $([int]$response.StatusCode)" }
        $bytes = New-Object IO.MemoryStream
        $buffer = New-Object byte[] 65536
        $stream = $response.GetResponseStream()
        while (($read = $stream.Read($buffer, 0, $buffer.Length)) -gt 0) {
            $bytes.Write($buffer, 0, $read)
            if ($bytes.Length -gt $CrlBytesMax) { throw "more than $CrlBytesMax bytes" }
        }
        , $bytes.ToArray()
    } finally {
        $response.Close()
    }
}

function Sync-Crl($Authority) {
    $certificate = Read-KitCertificate $Authority.certificate
    $bytes = Receive-Bytes $Authority.crlUrl
    # Throws unless it is a CRL that this CA signed.
    $dates = [Revcache.Native]::VerifyCrl($bytes, $certificate.Handle)
    if ($dates.NextUpdate -le [DateTime]::UtcNow) { throw "expired at $($dates.NextUpdate)" }
    $path = Join-Path $StateDirectory "ca-$($Authority.name).crl"
    if (Test-Path -LiteralPath $path) {
        $installed = [IO.File]::ReadAllBytes($path)
        $before = [Revcache.Native]::VerifyCrl($installed, $certificate.Handle)
        if ($dates.ThisUpdate -lt $before.ThisUpdate) {
            throw "of $($dates.ThisUpdate), older than the installed one of $($before.ThisUpdate)"
        }
    }
    if (-not $PSCmdlet.ShouldProcess('LocalMachine\CA', "Install the CRL of $($Authority.name)")) {
        return
    }
    [IO.File]::WriteAllBytes("$path.part", $bytes)
    $result = Invoke-Program $CertutilPath @('-f', '-addstore', 'CA', "$path.part")
    if ($result.ExitCode -ne 0) { throw "certutil: $($result.Output)" }
    Move-Item -LiteralPath "$path.part" -Destination $path -Force
    Write-Output ("$($Authority.name): CRL of $($dates.ThisUpdate), " +
        "valid until $($dates.NextUpdate) (UTC).")
}

Assert-Elevated
$Kit = Read-Kit
Initialize-ProtectedDirectory $StateDirectory
$failed = 0
foreach ($authority in $Kit.authorities) {
    if (-not $authority.crlUrl) { continue }
    try {
        Sync-Crl $authority
    } catch {
        $failed++
        Write-Warning "$($authority.name): the CRL from $($authority.crlUrl) is not installed: $_"
    }
}
if ($failed) { exit 1 }

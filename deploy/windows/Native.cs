// What PowerShell cannot reach by itself: certificate properties, CRLs, the WinHTTP proxy.
// Compiled by Add-Type of Windows PowerShell 5.1, so C# 5.
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using FileTime = System.Runtime.InteropServices.ComTypes.FILETIME;

namespace Revcache
{
    public sealed class ProxySetting
    {
        public uint AccessType;  // 1 direct, 3 named
        public string Proxy;
        public string Bypass;
    }

    public sealed class CrlDates
    {
        public DateTime ThisUpdate;
        public DateTime NextUpdate;
    }

    public static class Native
    {
        private const uint X509AndPkcs7 = 0x00010001;
        private const uint X509 = 1;
        // CERT_CA_OCSP_AUTHORITY_INFO_ACCESS_PROP_ID
        private const uint OcspProperty = 81;
        private const int NotFound = unchecked((int)0x80092004);  // CRYPT_E_NOT_FOUND
        private const uint SubjectIsCrl = 3;
        private const uint IssuerIsCertificate = 2;

        [StructLayout(LayoutKind.Sequential)]
        private struct DataBlob
        {
            public uint Size;
            public IntPtr Data;
        }

        [StructLayout(LayoutKind.Sequential)]
        private struct CrlContext
        {
            public uint Encoding;
            public IntPtr Encoded;
            public uint Size;
            public IntPtr Info;
            public IntPtr Store;
        }

        // The beginning of CRL_INFO.
        [StructLayout(LayoutKind.Sequential)]
        private struct CrlInfo
        {
            public uint Version;
            public IntPtr AlgorithmOid;
            public DataBlob AlgorithmParameters;
            public DataBlob Issuer;
            public FileTime ThisUpdate;
            public FileTime NextUpdate;
        }

        [StructLayout(LayoutKind.Sequential)]
        private struct ProxyInfo
        {
            public uint AccessType;
            public IntPtr Proxy;
            public IntPtr Bypass;
        }

        [DllImport("crypt32.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool CertGetCertificateContextProperty(
            IntPtr certificate, uint property, byte[] data, ref uint size);

        [DllImport("crypt32.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool CertSetCertificateContextProperty(
            IntPtr certificate, uint property, uint flags, IntPtr data);

        [DllImport("crypt32.dll", SetLastError = true)]
        private static extern IntPtr CertCreateCRLContext(uint encoding, byte[] crl, uint size);

        [DllImport("crypt32.dll")]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool CertFreeCRLContext(IntPtr crl);

        [DllImport("crypt32.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool CryptVerifyCertificateSignatureEx(
            IntPtr provider, uint encoding, uint subjectType, IntPtr subject, uint issuerType,
            IntPtr issuer, uint flags, IntPtr extra);

        [DllImport("winhttp.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool WinHttpGetDefaultProxyConfiguration(ref ProxyInfo info);

        [DllImport("kernel32.dll")]
        private static extern IntPtr GlobalFree(IntPtr memory);

        // Null when the certificate has none. `certificate`: X509Certificate2.Handle.
        public static byte[] GetOcspProperty(IntPtr certificate)
        {
            uint size = 0;
            if (!CertGetCertificateContextProperty(certificate, OcspProperty, null, ref size))
            {
                int error = Marshal.GetLastWin32Error();
                if (error == NotFound)
                {
                    return null;
                }
                throw new Win32Exception(error);
            }
            byte[] data = new byte[size];
            if (!CertGetCertificateContextProperty(certificate, OcspProperty, data, ref size))
            {
                throw new Win32Exception(Marshal.GetLastWin32Error());
            }
            return data;
        }

        // Null removes it. Kept in the store that the certificate was taken from.
        public static void SetOcspProperty(IntPtr certificate, byte[] value)
        {
            if (value == null)
            {
                Set(certificate, IntPtr.Zero);
                return;
            }
            GCHandle bytes = GCHandle.Alloc(value, GCHandleType.Pinned);
            IntPtr blob = Marshal.AllocHGlobal(Marshal.SizeOf(typeof(DataBlob)));
            try
            {
                DataBlob content = new DataBlob();
                content.Size = (uint)value.Length;
                content.Data = bytes.AddrOfPinnedObject();
                Marshal.StructureToPtr(content, blob, false);
                Set(certificate, blob);
            }
            finally
            {
                Marshal.FreeHGlobal(blob);
                bytes.Free();
            }
        }

        private static void Set(IntPtr certificate, IntPtr blob)
        {
            if (!CertSetCertificateContextProperty(certificate, OcspProperty, 0, blob))
            {
                throw new Win32Exception(Marshal.GetLastWin32Error());
            }
        }

        // The dates of a CRL that the CA signed. Throws for any other bytes.
        public static CrlDates VerifyCrl(byte[] crl, IntPtr authority)
        {
            IntPtr context = CertCreateCRLContext(X509AndPkcs7, crl, (uint)crl.Length);
            if (context == IntPtr.Zero)
            {
                throw new Win32Exception(Marshal.GetLastWin32Error());
            }
            try
            {
                if (!CryptVerifyCertificateSignatureEx(IntPtr.Zero, X509, SubjectIsCrl, context,
                        IssuerIsCertificate, authority, 0, IntPtr.Zero))
                {
                    throw new Win32Exception(Marshal.GetLastWin32Error());
                }
                CrlContext outer =
                    (CrlContext)Marshal.PtrToStructure(context, typeof(CrlContext));
                CrlInfo info = (CrlInfo)Marshal.PtrToStructure(outer.Info, typeof(CrlInfo));
                CrlDates dates = new CrlDates();
                dates.ThisUpdate = Utc(info.ThisUpdate);
                dates.NextUpdate = Utc(info.NextUpdate);
                return dates;
            }
            finally
            {
                CertFreeCRLContext(context);
            }
        }

        private static DateTime Utc(FileTime time)
        {
            long ticks = ((long)(uint)time.dwHighDateTime << 32) | (uint)time.dwLowDateTime;
            return DateTime.FromFileTimeUtc(ticks);
        }

        public static ProxySetting GetProxy()
        {
            ProxyInfo info = new ProxyInfo();
            if (!WinHttpGetDefaultProxyConfiguration(ref info))
            {
                throw new Win32Exception(Marshal.GetLastWin32Error());
            }
            ProxySetting setting = new ProxySetting();
            setting.AccessType = info.AccessType;
            setting.Proxy = Take(info.Proxy);
            setting.Bypass = Take(info.Bypass);
            return setting;
        }

        private static string Take(IntPtr text)
        {
            if (text == IntPtr.Zero)
            {
                return "";
            }
            string copy = Marshal.PtrToStringUni(text);
            GlobalFree(text);
            return copy;
        }
    }
}
